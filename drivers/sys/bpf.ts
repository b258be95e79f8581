/**
 * bpf(2): maps and programs. Each is a file descriptor: when it is closed, by
 * hand or because the process died, the kernel takes it away again once nothing
 * else uses it.
 */

import {
  BPF_PROG_TYPE_XDP,
  BpfAttribute,
  BpfCommand,
  type BpfMapType,
  Errno,
} from "./abi.ts";
import { Attribute } from "./bpf_attribute.ts";
import { closeDescriptor, errorText, systemError } from "./libc.ts";
import { SystemError } from "./system_error.ts";

/** What a map is made with. */
export interface MapOptions {
  /** One of {@link BpfMapType}. */
  readonly type: (typeof BpfMapType)[keyof typeof BpfMapType];
  /** Bytes of a key; 4 for arrays and socket maps. */
  readonly keyBytes: number;
  /** Bytes of a value. */
  readonly valueBytes: number;
  /** The most entries. */
  readonly entriesMax: number;
  /** For people who look with bpftool: at most 15 characters. */
  readonly name?: string;
}

/** A map: keys to values, shared between the kernel's programs and this process. */
export class BpfMap implements Disposable {
  readonly #keyBytes: number;
  readonly #valueBytes: number;
  #descriptor: number;

  /**
   * Creates a map.
   * @throws {SystemError} when the kernel refuses.
   */
  constructor(options: MapOptions) {
    const at = BpfAttribute.mapCreate;
    const attribute = new Attribute();
    attribute.u32(at.type, options.type);
    attribute.u32(at.keyBytes, options.keyBytes);
    attribute.u32(at.valueBytes, options.valueBytes);
    attribute.u32(at.entriesMax, options.entriesMax);
    attribute.name(at.name, options.name ?? "sallyport");
    this.#descriptor = attribute.call(BpfCommand.MAP_CREATE, {
      where: "bpf(BPF_MAP_CREATE)",
      what:
        `cannot make a map of ${options.entriesMax} entries of ${options.keyBytes} + ${options.valueBytes} bytes`,
    });
    this.#keyBytes = options.keyBytes;
    this.#valueBytes = options.valueBytes;
  }

  /** The file descriptor; -1 once closed. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /**
   * Sets the value of a key.
   * @throws {SystemError} when the kernel refuses (E2BIG: the map is full).
   */
  update(key: Uint8Array, value: Uint8Array): void {
    this.#sizes(key, value);
    this.#element(key, value).call(BpfCommand.MAP_UPDATE_ELEM, {
      where: "bpf(BPF_MAP_UPDATE_ELEM)",
      what: "cannot set an entry",
    });
  }

  /**
   * Sets the values of many keys in one call (Linux 5.6): they lie one behind
   * the other, each key's value at the same place among `values`.
   * @throws {SystemError} when the kernel refuses; some may be set by then.
   */
  updateAll(
    keys: Uint8Array<ArrayBuffer>,
    values: Uint8Array<ArrayBuffer>,
  ): void {
    const count = keys.length / this.#keyBytes;
    if (
      !Number.isInteger(count) || values.length !== count * this.#valueBytes
    ) {
      throw new RangeError(
        `bpf map: ${keys.length} bytes of keys and ${values.length} of values are not as many of ${this.#keyBytes} and ${this.#valueBytes} bytes`,
      );
    }
    if (count === 0) return;
    const at = BpfAttribute.batch;
    const attribute = new Attribute();
    attribute.u32(at.map, this.#descriptor);
    attribute.u32(at.count, count);
    attribute.pointer(at.keys, keys);
    attribute.pointer(at.values, values);
    attribute.call(BpfCommand.MAP_UPDATE_BATCH, {
      where: "bpf(BPF_MAP_UPDATE_BATCH)",
      what: `cannot set ${count} entries`,
    });
  }

  /** The value of a key, copied; undefined when the map has none. */
  lookup(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const value = new Uint8Array(this.#valueBytes);
    this.#sizes(key, value);
    const found = this.#element(key, value).callUnless(
      Errno.ENOENT,
      BpfCommand.MAP_LOOKUP_ELEM,
      { where: "bpf(BPF_MAP_LOOKUP_ELEM)", what: "cannot read an entry" },
    );
    return found ? value : undefined;
  }

  /** Deletes a key. Returns whether it was there. */
  delete(key: Uint8Array): boolean {
    this.#sizes(key, undefined);
    return this.#element(key, undefined).callUnless(
      Errno.ENOENT,
      BpfCommand.MAP_DELETE_ELEM,
      { where: "bpf(BPF_MAP_DELETE_ELEM)", what: "cannot delete an entry" },
    );
  }

  /** Closes it; a program that uses it keeps it alive in the kernel. */
  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }

  /** The kernel reads and writes as many bytes as the map was made with: shorter arrays would be overrun. */
  #sizes(key: Uint8Array, value: Uint8Array | undefined): void {
    if (
      key.length !== this.#keyBytes ||
      (value !== undefined && value.length !== this.#valueBytes)
    ) {
      throw new RangeError(
        `bpf map: key and value must be ${this.#keyBytes} and ${this.#valueBytes} bytes`,
      );
    }
  }

  #element(key: Uint8Array, value: Uint8Array | undefined): Attribute {
    const at = BpfAttribute.element;
    const attribute = new Attribute();
    attribute.u32(at.map, this.#descriptor);
    attribute.pointer(at.key, key);
    if (value !== undefined) attribute.pointer(at.value, value);
    return attribute;
  }
}

/** A program that the verifier refused; `log` is all it said. */
export class VerifierError extends SystemError {
  /** `VerifierError`. */
  override readonly name = "VerifierError";

  /** An error with the verifier's log. */
  constructor(
    errorNumber: number,
    /** What the verifier said, instruction by instruction. */
    readonly log: string,
  ) {
    super({
      where: "bpf(BPF_PROG_LOAD)",
      what: "the kernel's verifier refused the program",
      errno: errorNumber,
      text: errorText(errorNumber),
      advice: log.trimEnd().split("\n").slice(-4).join(" | "),
    });
  }
}

/** How a program is loaded. */
export interface LoadOptions {
  /** Kind of program, of `enum bpf_prog_type`; XDP by default. */
  readonly type?: number;
  /** For people who look with bpftool: at most 15 characters. */
  readonly name?: string;
  /** Whether to ask for the verifier's log when it accepts, too. */
  readonly verbose?: boolean;
}

const VERIFIER_LOG_BYTES = 1 << 20;

/** A program in the kernel. */
export class BpfProgram implements Disposable {
  /** What the verifier said; empty unless `verbose` was asked for. */
  readonly log: string;
  #descriptor: number;

  /**
   * Loads a program; its map references are file descriptors already.
   *
   * @throws {VerifierError} when the verifier refuses it.
   * @throws {SystemError} when the kernel refuses for another reason.
   */
  constructor(
    instructions: Uint8Array<ArrayBuffer>,
    options: LoadOptions = {},
  ) {
    const log = new Uint8Array(options.verbose ? VERIFIER_LOG_BYTES : 0);
    const result = load(instructions, options, log);
    if (result >= 0) {
      this.#descriptor = result;
      this.log = textOf(log);
      return;
    }
    if (log.length === 0) {
      // The log costs time and a megabyte, so it is asked for only now.
      const again = new Uint8Array(VERIFIER_LOG_BYTES);
      const repeated = load(instructions, options, again);
      if (repeated >= 0) closeDescriptor(repeated);
      throw refusal(-result, textOf(again));
    }
    throw refusal(-result, textOf(log));
  }

  /** The file descriptor; -1 once closed. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /**
   * Runs the program over one packet (BPF_PROG_TEST_RUN).
   * @throws {SystemError} when the kernel refuses the input.
   */
  testRun(input: TestRunInput): TestRunOutput {
    const at = BpfAttribute.testRun;
    // The program may grow the packet at both ends.
    const data = new Uint8Array(input.data.length + 512);
    const context = new Uint8Array(input.context?.length ?? 0);
    const attribute = new Attribute();
    attribute.u32(at.program, this.#descriptor);
    attribute.u32(at.dataBytesIn, input.data.length);
    attribute.u32(at.dataBytesOut, data.length);
    attribute.pointer(at.dataIn, input.data);
    attribute.pointer(at.dataOut, data);
    attribute.u32(at.repeat, input.repeat ?? 1);
    if (input.context !== undefined) {
      attribute.u32(at.contextBytesIn, input.context.length);
      attribute.u32(at.contextBytesOut, context.length);
      attribute.pointer(at.contextIn, input.context);
      attribute.pointer(at.contextOut, context);
    }
    attribute.call(BpfCommand.PROG_TEST_RUN, {
      where: "bpf(BPF_PROG_TEST_RUN)",
      what: `cannot run over a packet of ${input.data.length} bytes`,
    });
    return {
      result: attribute.read(at.result),
      data: data.slice(0, attribute.read(at.dataBytesOut)),
      context: context.slice(0, attribute.read(at.contextBytesOut)),
      durationNs: attribute.read(at.durationNs),
    };
  }

  /** Closes it; a link that uses it keeps it alive in the kernel. */
  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** One packet for {@link BpfProgram.testRun}. */
export interface TestRunInput {
  /** The packet, at least 14 bytes; metadata in front of it included when `context` says so. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** `struct xdp_md` (linux/bpf.h, 24 bytes); the one that comes out is then given back, too. */
  readonly context?: Uint8Array<ArrayBuffer>;
  /** How often to run it, for measuring; 1 by default. */
  readonly repeat?: number;
}

/** What a program did with a packet. */
export interface TestRunOutput {
  /** What it returned: XDP_PASS is 2, XDP_REDIRECT 4. */
  readonly result: number;
  /** The packet afterwards, metadata in front of it included when a context was given. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** `struct xdp_md` afterwards: `data` (the second u32 at 0) is where the packet starts in the bytes above. */
  readonly context: Uint8Array<ArrayBuffer>;
  /** Mean time of a run, in nanoseconds. */
  readonly durationNs: number;
}

/** Loads; returns the descriptor, or the error number negated. */
function load(
  instructions: Uint8Array<ArrayBuffer>,
  options: LoadOptions,
  log: Uint8Array<ArrayBuffer>,
): number {
  const at = BpfAttribute.load;
  const attribute = new Attribute();
  attribute.u32(at.type, options.type ?? BPF_PROG_TYPE_XDP);
  attribute.u32(at.instructionCount, instructions.length / 8);
  attribute.pointer(at.instructions, instructions);
  // Only helpers that are free for all licences are called.
  attribute.pointer(at.license, new TextEncoder().encode("MIT\0"));
  attribute.name(at.name, options.name ?? "sallyport");
  if (log.length > 0) {
    attribute.u32(at.logLevel, 1);
    attribute.u32(at.logBytes, log.length);
    attribute.pointer(at.log, log);
  }
  return attribute.raw(BpfCommand.PROG_LOAD);
}

function refusal(errorNumber: number, log: string): SystemError {
  if (log !== "") return new VerifierError(errorNumber, log);
  return systemError(errorNumber, {
    where: "bpf(BPF_PROG_LOAD)",
    what: "cannot load the program",
  });
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)));
}
