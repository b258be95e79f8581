/**
 * A WebAssembly module as bytes: WebAssembly Core Specification 2.0, section 5;
 * shared memory from the threads proposal, limits flag 3.
 */

import {
  type Instruction,
  OPCODES,
  VALUE_TYPES,
  type ValueType,
} from "./opcodes.ts";

/** A function's type. */
export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function. */
export interface FunctionBody {
  readonly type: FunctionType;
  /** Locals after the parameters. */
  readonly locals: readonly ValueType[];
  /** Without the last `end`. */
  readonly instructions: readonly Instruction[];
}

/** Bytes to be copied into memory when the module is instantiated. */
export interface DataSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A module that imports shared memory as `env.memory`. */
export interface Module {
  /** 64 KiB pages of the memory, as initial and as maximum. */
  readonly memoryPages: number;
  readonly functions: readonly FunctionBody[];
  /** Exported functions: name to index. */
  readonly exports: Readonly<Record<string, number>>;
  readonly data: readonly DataSegment[];
}

/** The module's bytes. Equal modules give equal bytes. */
export function encodeModule(module: Module): Uint8Array<ArrayBuffer> {
  const types: string[] = [];
  const encodedTypes: Bytes[] = [];
  const typeIndex = module.functions.map(({ type }) => {
    const key = `${type.parameters} ${type.results}`;
    if (!types.includes(key)) {
      types.push(key);
      encodedTypes.push(encodeType(type));
    }
    return types.indexOf(key);
  });
  const out = new Bytes();
  out.push(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  out.section(1, encodedTypes);
  out.section(2, [encodeMemoryImport(module.memoryPages)]);
  out.section(3, typeIndex.map((index) => new Bytes().unsigned(index)));
  out.section(
    7,
    Object.entries(module.exports).map(([name, index]) =>
      new Bytes().name(name).push(0).unsigned(index)
    ),
  );
  out.section(10, module.functions.map(encodeFunction));
  out.section(11, module.data.map(encodeData));
  return out.finish();
}

function encodeType(type: FunctionType): Bytes {
  const out = new Bytes().push(0x60);
  for (const list of [type.parameters, type.results]) {
    out.unsigned(list.length);
    for (const one of list) out.push(VALUE_TYPES[one]);
  }
  return out;
}

function encodeMemoryImport(pages: number): Bytes {
  const shared = 3;
  return new Bytes().name("env").name("memory").push(2, shared)
    .unsigned(pages).unsigned(pages);
}

function encodeFunction(body: FunctionBody): Bytes {
  const inner = new Bytes();
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of body.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  inner.unsigned(runs.length);
  for (const run of runs) {
    inner.unsigned(run.count).push(VALUE_TYPES[run.type]);
  }
  for (const instruction of body.instructions) {
    encodeInstruction(inner, instruction);
  }
  inner.push(OPCODES.end.code);
  return new Bytes().unsigned(inner.length).append(inner);
}

function encodeInstruction(out: Bytes, instruction: Instruction): void {
  const { code, immediates } = OPCODES[instruction.op];
  const values = instruction.immediates;
  out.push(code);
  switch (immediates) {
    case "none":
      return;
    case "block":
      out.push(Number(values[0]));
      return;
    case "index":
      out.unsigned(Number(values[0]));
      return;
    case "labels":
      out.unsigned(values.length - 1);
      for (const label of values) out.unsigned(Number(label));
      return;
    case "i32":
      out.signed32(Number(values[0]));
      return;
    case "i64":
      out.signed64(BigInt(values[0]!));
      return;
    case "memory":
      out.push(0).unsigned(Number(values[0]));
      return;
  }
}

function encodeData(segment: DataSegment): Bytes {
  const out = new Bytes().push(0, OPCODES["i32.const"].code);
  out.signed32(segment.address).push(OPCODES.end.code);
  return out.unsigned(segment.bytes.length).raw(segment.bytes);
}

/** A growing run of bytes; every method returns it. */
class Bytes {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(...bytes: readonly number[]): this {
    const at = this.#grow(bytes.length);
    for (let index = 0; index < bytes.length; index++) {
      this.#bytes[at + index] = bytes[index]!;
    }
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  append(other: Bytes): this {
    return this.raw(other.#bytes.subarray(0, other.#length));
  }

  /** LEB128, unsigned, up to 32 bits. */
  unsigned(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.push(rest);
  }

  /** LEB128, signed, the low 32 bits of `value`. */
  signed32(value: number): this {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.push((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.push(rest & 0x7f);
  }

  /** LEB128, signed, the low 64 bits of `value`. */
  signed64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.push(Number(rest & 0x7fn));
  }

  /** A name of ASCII letters. */
  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.unsigned(bytes.length).raw(bytes);
  }

  /** A section of a vector of items; nothing when there are none. */
  section(id: number, items: readonly Bytes[]): this {
    if (items.length === 0) return this;
    const inner = new Bytes().unsigned(items.length);
    for (const item of items) inner.append(item);
    return this.push(id).unsigned(inner.length).append(inner);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `count` more bytes and returns where they start. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#length, at * 2));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
    }
    return at;
  }
}
