/**
 * WebAssembly modules of ours back from bytes: what encoder.ts writes. It reads
 * for people (print.ts) and for tests, and takes nothing else.
 */

import type {
  DataSegment,
  FunctionBody,
  FunctionType,
  Module,
} from "./encoder.ts";
import {
  type Instruction,
  NO_RESULT,
  OPCODES,
  type OpName,
  VALUE_TYPES,
  type ValueType,
} from "./opcodes.ts";

const SECTION = {
  types: 1,
  imports: 2,
  functions: 3,
  exports: 7,
  code: 10,
  data: 11,
};
const HEADER_BYTES = 8;
const SHARED_LIMITS = 3;

/** Instructions by opcode. */
const NAMES: ReadonlyMap<number, OpName> = new Map(
  (Object.keys(OPCODES) as OpName[]).map((name) => [OPCODES[name].code, name]),
);

/** The module that `bytes` are. @throws {Error} when encoder.ts has not written them. */
export function decodeModule(bytes: Uint8Array): Module {
  const reader = new Reader(bytes);
  reader.skip(HEADER_BYTES);
  let types: FunctionType[] = [];
  let typeIndex: number[] = [];
  let memoryPages = 0;
  let exports: [string, number][] = [];
  let bodies: Omit<FunctionBody, "type">[] = [];
  let data: DataSegment[] = [];
  while (!reader.done) {
    const id = reader.u8();
    reader.unsigned();
    if (id === SECTION.types) types = reader.vector(readType);
    else if (id === SECTION.imports) memoryPages = readImports(reader);
    else if (id === SECTION.functions) {
      typeIndex = reader.vector(() => reader.unsigned());
    } else if (id === SECTION.exports) exports = reader.vector(readExport);
    else if (id === SECTION.code) bodies = reader.vector(readBody);
    else if (id === SECTION.data) data = reader.vector(readData);
    else throw new Error(`wasm: section ${id} is none of ours`);
  }
  return {
    memoryPages,
    functions: bodies.map((body, i) => ({
      ...body,
      type: types[typeIndex[i]!]!,
    })),
    exports: Object.fromEntries(exports),
    data,
  };
}

function readType(reader: Reader): FunctionType {
  reader.u8();
  return {
    parameters: reader.vector(readValueType),
    results: reader.vector(readValueType),
  };
}

function readValueType(reader: Reader): ValueType {
  return valueTypeOf(reader.u8());
}

/** The type that a byte stands for. @throws {Error} when it stands for none. */
export function valueTypeOf(byte: number): ValueType {
  for (const type of Object.keys(VALUE_TYPES) as ValueType[]) {
    if (VALUE_TYPES[type] === byte) return type;
  }
  throw new Error(`wasm: ${byte} is no value type of ours`);
}

/** `env.memory`: the pages of the one import. */
function readImports(reader: Reader): number {
  const [pages] = reader.vector(() => {
    reader.name();
    reader.name();
    reader.u8();
    if (reader.u8() !== SHARED_LIMITS) throw new Error("wasm: memory unshared");
    const initial = reader.unsigned();
    reader.unsigned();
    return initial;
  });
  return pages ?? 0;
}

function readExport(reader: Reader): [string, number] {
  const name = reader.name();
  reader.u8();
  return [name, reader.unsigned()];
}

function readBody(reader: Reader): Omit<FunctionBody, "type"> {
  const end = reader.unsigned() + reader.at;
  const locals = reader.vector(() => {
    const count = reader.unsigned();
    return Array<ValueType>(count).fill(readValueType(reader));
  }).flat();
  const instructions: Instruction[] = [];
  while (reader.at < end) instructions.push(readInstruction(reader));
  instructions.pop(); // the function's end
  return { locals, instructions };
}

function readData(reader: Reader): DataSegment {
  reader.u8();
  const [address] = readInstruction(reader).immediates;
  readInstruction(reader);
  return {
    address: Number(address) >>> 0,
    bytes: reader.raw(reader.unsigned()),
  };
}

function readInstruction(reader: Reader): Instruction {
  const code = reader.u8();
  const op = NAMES.get(code);
  if (op === undefined) {
    throw new Error(`wasm: opcode ${code} at byte ${reader.at - 1}`);
  }
  return { op, immediates: readImmediates(reader, op) };
}

function readImmediates(reader: Reader, op: OpName): (number | bigint)[] {
  const { immediates } = OPCODES[op];
  switch (immediates) {
    case "none":
      return [];
    case "block": {
      const type = reader.u8();
      return type === NO_RESULT ? [type] : [VALUE_TYPES[valueTypeOf(type)]];
    }
    case "index":
      return [reader.unsigned()];
    case "labels": {
      const labels = reader.vector(() => reader.unsigned());
      return [...labels, reader.unsigned()];
    }
    case "i32":
      return [Number(BigInt.asIntN(32, reader.signed()))];
    case "i64":
      return [reader.signed()];
    case "memory":
      reader.u8();
      return [reader.unsigned()];
  }
}

/** Bytes from the first to the last. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  u8(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("wasm: the module is cut short");
    return byte;
  }

  raw(count: number): Uint8Array {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  name(): string {
    return new TextDecoder().decode(this.raw(this.unsigned()));
  }

  vector<T>(item: (reader: Reader) => T): T[] {
    return Array.from({ length: this.unsigned() }, () => item(this));
  }

  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** LEB128, signed. */
  signed(): bigint {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  }
}
