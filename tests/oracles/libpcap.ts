/**
 * The system's libpcap, through FFI: what filter text means is what it says.
 *
 * Named ports and protocols are resolved by the C library, so they depend on
 * this machine's /etc/services and /etc/protocols; host names would go to its
 * resolver, so tests never give it any.
 */

/** The library's name, as a need of tests (`library:libpcap.so.0.8`). */
export const LIBPCAP = "libpcap.so.0.8";

/** Link types (pcap/dlt.h, as pcap_open_dead takes them). */
export const DLT = {
  null: 0,
  ethernet: 1,
  raw: 12,
  loop: 108,
  sll: 113,
  sll2: 276,
} as const;

/** `PCAP_NETMASK_UNKNOWN` (pcap/pcap.h): `ip broadcast` is then refused. */
const NETMASK_UNKNOWN = 0xffffffff;

const symbols = {
  pcap_open_dead: { parameters: ["i32", "i32"], result: "pointer" },
  pcap_close: { parameters: ["pointer"], result: "void" },
  pcap_compile: {
    parameters: ["pointer", "buffer", "buffer", "i32", "u32"],
    result: "i32",
  },
  pcap_geterr: { parameters: ["pointer"], result: "pointer" },
  pcap_freecode: { parameters: ["buffer"], result: "void" },
  pcap_lib_version: { parameters: [], result: "pointer" },
  pcap_offline_filter: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "i32",
  },
  bpf_filter: {
    parameters: ["pointer", "buffer", "u32", "u32"],
    result: "u32",
  },
} as const;

type Library = Deno.DynamicLibrary<typeof symbols>;

/** One instruction of classic BPF (pcap/bpf.h, struct bpf_insn). */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** How an expression is compiled. */
export interface CompileOptions {
  /** Whether libpcap's optimiser runs; it does by default. */
  readonly optimise?: boolean;
  /** The network's mask, host byte order; unknown by default. */
  readonly netmask?: number;
}

/** libpcap, open. */
export class Libpcap implements Disposable {
  readonly #library: Library = Deno.dlopen(LIBPCAP, symbols);
  readonly #handles = new Map<number, Deno.PointerValue>();

  /** What the library calls itself, such as `libpcap version 1.10.3 (…)`. */
  get version(): string {
    return text(this.#library.symbols.pcap_lib_version());
  }

  /**
   * Compiles `expression` for a link type of {@link DLT}. Throws an Error with
   * libpcap's own message where it refuses.
   */
  compile(
    expression: string,
    linkType: number,
    options: CompileOptions = {},
  ): LibpcapFilter {
    const handle = this.#handle(linkType);
    const program = new Uint8Array(16);
    const result = this.#library.symbols.pcap_compile(
      handle,
      program,
      cString(expression),
      options.optimise ?? true ? 1 : 0,
      options.netmask ?? NETMASK_UNKNOWN,
    );
    if (result !== 0) {
      throw new Error(text(this.#library.symbols.pcap_geterr(handle)));
    }
    return new LibpcapFilter(this.#library, program);
  }

  [Symbol.dispose](): void {
    for (const handle of this.#handles.values()) {
      this.#library.symbols.pcap_close(handle);
    }
    this.#handles.clear();
    this.#library.close();
  }

  #handle(linkType: number): Deno.PointerValue {
    const known = this.#handles.get(linkType);
    if (known !== undefined) return known;
    const handle = this.#library.symbols.pcap_open_dead(linkType, 262_144);
    if (handle === null) throw new Error("pcap_open_dead failed");
    this.#handles.set(linkType, handle);
    return handle;
  }
}

/** A compiled filter; dispose of it before its {@link Libpcap}. */
export class LibpcapFilter implements Disposable {
  readonly #library: Library;
  readonly #program: Uint8Array<ArrayBuffer>;
  readonly #instructions: Deno.PointerValue;
  readonly #header = new Uint8Array(24);
  readonly #headerView = new DataView(this.#header.buffer);

  constructor(
    library: Library,
    program: Uint8Array<ArrayBuffer>,
  ) {
    this.#library = library;
    this.#program = program;
    this.#instructions = Deno.UnsafePointer.create(
      new DataView(program.buffer).getBigUint64(8, true),
    );
  }

  /** The classic BPF program. */
  get instructions(): Instruction[] {
    const count = new DataView(this.#program.buffer).getUint32(0, true);
    const view = new Deno.UnsafePointerView(this.#instructions!);
    return Array.from({ length: count }, (_, i) => ({
      code: view.getUint16(i * 8),
      jt: view.getUint8(i * 8 + 2),
      jf: view.getUint8(i * 8 + 3),
      k: view.getUint32(i * 8 + 4),
    }));
  }

  /**
   * Where the instructions lie, for a C loop over `bpf_filter`: a call through
   * FFI costs about as much as a short filter.
   */
  get instructionsPointer(): Deno.PointerValue {
    return this.#instructions;
  }

  /** Runs `bpf_filter` over a packet whose captured bytes are `packet`. */
  matches(
    packet: Uint8Array<ArrayBuffer>,
    wireLength: number = packet.length,
  ): boolean {
    return this.#library.symbols.bpf_filter(
      this.#instructions,
      packet,
      wireLength,
      packet.length,
    ) !== 0;
  }

  /** Runs `pcap_offline_filter`, with its header made for `packet`. */
  matchesOffline(
    packet: Uint8Array<ArrayBuffer>,
    wireLength: number = packet.length,
  ): boolean {
    this.#headerView.setUint32(16, packet.length, true);
    this.#headerView.setUint32(20, wireLength, true);
    return this.#library.symbols.pcap_offline_filter(
      this.#program,
      this.#header,
      packet,
    ) !== 0;
  }

  [Symbol.dispose](): void {
    this.#library.symbols.pcap_freecode(this.#program);
  }
}

function cString(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

function text(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
