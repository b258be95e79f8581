/**
 * A small eBPF machine: runs an emitted `KernelProgram` over one frame without a
 * kernel or privilege. It knows the instructions and helpers that the emitter
 * uses, and no others, and throws where the kernel's verifier would object: an
 * access outside the packet, the stack, the context or a map's value; a register
 * or a stack byte that was never written; an instruction it does not know.
 */

import type { KernelProgram } from "../../caps/driver/program.ts";

/** What the NIC would be like. */
export interface VmOptions {
  /** The receive queue of the frame; 0 by default. */
  readonly queue?: number;
  /** Whether that queue has a socket; true by default. */
  readonly socket?: boolean;
  /** Whether there is room for metadata in front of the frame; true by default. */
  readonly tagRoom?: boolean;
}

/** What the program did. */
export interface VmVerdict {
  /** enum xdp_action: 1 dropped, 2 passed, 4 redirected. */
  readonly action: number;
  /** The metadata in front of the frame; 0 when there is none. */
  readonly tag: bigint;
  /** Instructions run. */
  readonly steps: number;
  /** The counters, by reason. */
  readonly counters: Readonly<Record<string, number>>;
}

const CONTEXT_AT = 0x1000, STACK_AT = 0x2000, PACKET_AT = 0x10000;
const MAP_AT = 0x1000000, VALUES_AT = 0x2000000;
const STACK_BYTES = 512, HEADROOM_BYTES = 256, STEPS_MAX = 1_000_000;
const MASK_64 = 0xffffffffffffffffn, MASK_32 = 0xffffffffn;

/** A run of memory that may be touched; `written` is there for the stack only. */
interface Region {
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
  readonly writable: boolean;
  readonly written?: Uint8Array;
}

/** Runs `program` over `frame`, with its maps as they were compiled. */
export function runEbpf(
  program: KernelProgram,
  frame: Uint8Array,
  options: VmOptions = {},
): VmVerdict {
  return new Machine(program, frame, options).run();
}

class Machine {
  readonly #program: KernelProgram;
  readonly #code: DataView;
  readonly #mapAt = new Map<number, number>();
  readonly #registers: (bigint | undefined)[] = new Array(11).fill(undefined);
  readonly #packet: Uint8Array<ArrayBuffer>;
  readonly #options: Required<VmOptions>;
  readonly #counters = new Uint8Array(8 * 16);
  readonly #regions: Region[];
  #metaBytes = 0;
  #position = 0;

  constructor(program: KernelProgram, frame: Uint8Array, options: VmOptions) {
    this.#program = program;
    this.#options = { queue: 0, socket: true, tagRoom: true, ...options };
    const { buffer, byteOffset, byteLength } = program.instructions;
    this.#code = new DataView(buffer, byteOffset, byteLength);
    for (const { instruction, map } of program.relocations) {
      this.#mapAt.set(instruction, map);
    }
    this.#packet = new Uint8Array(HEADROOM_BYTES + frame.length);
    this.#packet.set(frame, HEADROOM_BYTES);
    const stack = new Uint8Array(STACK_BYTES);
    this.#regions = [
      { start: CONTEXT_AT, bytes: new Uint8Array(24), writable: false },
      {
        start: STACK_AT,
        bytes: stack,
        writable: true,
        written: new Uint8Array(STACK_BYTES),
      },
      { start: PACKET_AT, bytes: this.#packet, writable: true },
      { start: VALUES_AT, bytes: this.#counters, writable: true },
    ];
    this.#expose();
    this.#registers[1] = BigInt(CONTEXT_AT);
    this.#registers[10] = BigInt(STACK_AT + STACK_BYTES);
  }

  run(): VmVerdict {
    let steps = 0;
    while (this.#step()) {
      if (++steps > STEPS_MAX) throw new Error("eBPF: it does not end");
    }
    const view = new DataView(this.#packet.buffer);
    const counters: Record<string, number> = {};
    for (const map of this.#program.maps) {
      if (map.kind !== "counters") continue;
      map.reasons.forEach((reason, index) => {
        counters[reason] = new DataView(this.#counters.buffer)
          .getUint32(index * 8, true);
      });
    }
    return {
      action: Number(this.#get(0)),
      tag: this.#metaBytes === 8
        ? view.getBigUint64(HEADROOM_BYTES - 8, true)
        : 0n,
      steps,
      counters,
    };
  }

  /** Lays out struct xdp_md, and what may be touched of the packet's buffer. */
  #expose(): void {
    const context = new DataView(this.#regions[0]!.bytes.buffer);
    const data = PACKET_AT + HEADROOM_BYTES;
    const end = PACKET_AT + this.#packet.length;
    const words = [data, end, data - this.#metaBytes, 0, this.#options.queue];
    words.forEach((word, index) => context.setUint32(index * 4, word, true));
    const packet = this.#regions[2]!;
    packet.start = data - this.#metaBytes;
    packet.bytes = this.#packet.subarray(HEADROOM_BYTES - this.#metaBytes);
  }

  #step(): boolean {
    const at = this.#position * 8;
    if (at >= this.#code.byteLength) throw new Error("eBPF: past the end");
    const opcode = this.#code.getUint8(at);
    const registers = this.#code.getUint8(at + 1);
    const dst = registers & 15, src = registers >> 4;
    const offset = this.#code.getInt16(at + 2, true);
    const imm = this.#code.getInt32(at + 4, true);
    const here = this.#position++;
    const kind = opcode & 7;
    if (opcode === 0x18) {
      const high = this.#code.getInt32(at + 12, true);
      const map = this.#mapAt.get(here);
      if ((src === 1) !== (map !== undefined)) {
        throw new Error("eBPF: a map without a relocation, or the reverse");
      }
      this.#position++;
      const value = (BigInt(high >>> 0) << 32n) | BigInt(imm >>> 0);
      this.#set(dst, map === undefined ? value : BigInt(MAP_AT + map));
      return true;
    }
    if (kind === 4 || kind === 7) this.#arithmetic(opcode, dst, src, imm);
    else if (kind === 5 || kind === 6) {
      if (opcode === 0x95) return false;
      if (opcode === 0x85) this.#call(imm);
      else if (this.#jumps(opcode, dst, src, imm)) this.#position += offset;
    } else this.#memory(opcode, { dst, src, offset, imm });
    return true;
  }

  #arithmetic(opcode: number, dst: number, src: number, imm: number): void {
    if (opcode === 0xdc) {
      const bytes = new DataView(new ArrayBuffer(8));
      bytes.setBigUint64(0, this.#get(dst), true);
      return this.#set(
        dst,
        BigInt(imm === 16 ? bytes.getUint16(0) : bytes.getUint32(0)),
      );
    }
    const bits = (opcode & 7) === 7 ? 64 : 32;
    const operand = BigInt.asUintN(
      bits,
      (opcode & 8) !== 0 ? this.#get(src) : BigInt(imm),
    );
    const isMove = (opcode & 0xf0) === 0xb0;
    const left = isMove ? 0n : BigInt.asUintN(bits, this.#get(dst));
    const result = computed(opcode & 0xf0, left, operand, bits);
    if (result === undefined) {
      throw new Error(`eBPF: arithmetic 0x${opcode.toString(16)}`);
    }
    this.#set(dst, BigInt.asUintN(bits, result));
  }

  #jumps(opcode: number, dst: number, src: number, imm: number): boolean {
    if (opcode === 0x05) return true;
    const wide = (opcode & 7) === 5;
    const mask = wide ? MASK_64 : MASK_32;
    const left = this.#get(dst) & mask;
    const right = ((opcode & 8) !== 0 ? this.#get(src) : BigInt(imm)) & mask;
    switch (opcode & 0xf0) {
      case 0x10:
        return left === right;
      case 0x20:
        return left > right;
      case 0x30:
        return left >= right;
      case 0x50:
        return left !== right;
      case 0xa0:
        return left < right;
      case 0xb0:
        return left <= right;
    }
    throw new Error(`eBPF: jump 0x${opcode.toString(16)}`);
  }

  #memory(
    opcode: number,
    { dst, src, offset, imm }: Record<"dst" | "src" | "offset" | "imm", number>,
  ): void {
    const size = { 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 }[opcode & 0x18]!;
    const load = (opcode & 7) === 1;
    const address = Number(this.#get(load ? src : dst)) + offset;
    const mode = opcode & 0xe0;
    if (load && mode === 0x60) {
      return this.#set(dst, this.#read(address, size));
    }
    if ((opcode & 7) === 2 && mode === 0x60) {
      return this.#write(address, size, BigInt(imm));
    }
    if (opcode === 0xdb && imm === 0) {
      const sum = this.#read(address, size) + this.#get(src);
      return this.#write(address, size, sum);
    }
    if ((opcode & 7) === 3 && mode === 0x60) {
      return this.#write(address, size, this.#get(src));
    }
    throw new Error(`eBPF: memory access 0x${opcode.toString(16)}`);
  }

  #call(helper: number): void {
    const map = this.#program.maps[Number(this.#get(1)) - MAP_AT];
    let result: bigint;
    if (helper === 1) result = this.#lookup();
    else if (helper === 51) {
      if (map?.kind !== "sockets") throw new Error("eBPF: not a socket map");
      const there = Number(this.#get(2)) === this.#options.queue &&
        this.#options.socket;
      result = there ? 4n : this.#get(3) & 3n;
    } else if (helper === 54) result = this.#adjustMeta();
    else throw new Error(`eBPF: helper ${helper}`);
    this.#registers.fill(undefined, 1, 6);
    this.#set(0, result);
  }

  /** bpf_map_lookup_elem: the address of the value, or 0. */
  #lookup(): bigint {
    const map = this.#program.maps[Number(this.#get(1)) - MAP_AT];
    const keyAt = Number(this.#get(2));
    if (map === undefined) throw new Error("eBPF: not a map");
    const keyBytes = map.kind === "flows" ? map.keyBytes : 4;
    const key = Array.from(
      { length: keyBytes },
      (_, index) => Number(this.#read(keyAt + index, 1)),
    );
    const word = Number(this.#read(keyAt, 4));
    if (map.kind === "sockets") {
      const there = word === this.#options.queue && this.#options.socket;
      return there ? 1n : 0n;
    }
    if (map.kind === "counters") {
      return word < map.reasons.length ? BigInt(VALUES_AT + word * 8) : 0n;
    }
    const { entries } = map;
    for (let at = 0; at < entries.length; at += keyBytes + 8) {
      if (!key.every((byte, index) => entries[at + index] === byte)) continue;
      const bytes = entries.slice(at + keyBytes, at + keyBytes + 8);
      const start = VALUES_AT + 0x1000 * this.#regions.length;
      this.#regions.push({ start, bytes, writable: false });
      return BigInt(start);
    }
    return 0n;
  }

  /** bpf_xdp_adjust_meta: pointers into the packet are good no longer. */
  #adjustMeta(): bigint {
    if (this.#get(1) !== BigInt(CONTEXT_AT)) throw new Error("eBPF: not ctx");
    const delta = Number(BigInt.asIntN(64, this.#get(2)));
    for (const register of [6, 7, 8, 9]) {
      const value = Number(this.#registers[register] ?? 0n);
      const end = PACKET_AT + this.#packet.length;
      if (value >= PACKET_AT && value <= end) {
        this.#registers[register] = undefined;
      }
    }
    if (!this.#options.tagRoom) return BigInt.asUintN(64, -13n);
    this.#metaBytes -= delta;
    this.#expose();
    return 0n;
  }

  #get(register: number): bigint {
    const value = this.#registers[register];
    if (value === undefined) {
      throw new Error(`eBPF: r${register} at ${this.#position - 1} is unset`);
    }
    return value;
  }

  #set(register: number, value: bigint): void {
    this.#registers[register] = value & MASK_64;
  }

  #region(address: number, size: number): Region {
    const region = this.#regions.find(({ start, bytes }) =>
      address >= start && address + size <= start + bytes.length
    );
    if (region === undefined) {
      throw new Error(
        `eBPF: ${size} bytes at 0x${address.toString(16)} are out of bounds`,
      );
    }
    if (region.written !== undefined && address % size !== 0) {
      throw new Error("eBPF: misaligned stack access");
    }
    return region;
  }

  #read(address: number, size: number): bigint {
    const { start, bytes, written } = this.#region(address, size);
    let value = 0n;
    for (let index = size - 1; index >= 0; index--) {
      const at = address - start + index;
      if (written?.[at] === 0) throw new Error("eBPF: stack never written");
      value = (value << 8n) | BigInt(bytes[at]!);
    }
    return value;
  }

  #write(address: number, size: number, value: bigint): void {
    const { start, bytes, writable, written } = this.#region(address, size);
    if (!writable) throw new Error("eBPF: read-only memory");
    for (let index = 0; index < size; index++) {
      const at = address - start + index;
      bytes[at] = Number((value >> BigInt(8 * index)) & 0xffn);
      written?.fill(1, at, at + 1);
    }
  }
}

/** What an ALU operation gives, unsigned (RFC 9669, section 4.1); undefined for others. */
function computed(
  operation: number,
  left: bigint,
  right: bigint,
  bits: 32 | 64,
): bigint | undefined {
  switch (operation) {
    case 0x00:
      return left + right;
    case 0x10:
      return left - right;
    case 0x20:
      return left * right;
    case 0x30:
      return right === 0n ? 0n : left / right;
    case 0x40:
      return left | right;
    case 0x50:
      return left & right;
    case 0x60:
      return left << right % BigInt(bits);
    case 0x70:
      return left >> right % BigInt(bits);
    case 0x90:
      return right === 0n ? left : left % right;
    case 0xa0:
      return left ^ right;
    case 0xb0:
      return right;
  }
}
