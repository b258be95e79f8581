/**
 * The WebAssembly instructions that a classifier needs, by their names in the
 * text format, with their opcodes and what follows them. Numbers: WebAssembly
 * Core Specification 2.0, section 5.4.
 */

/** What follows an opcode. */
export type Immediates =
  /** No immediates. */
  | "none"
  /** A block's result type byte. */
  | "block"
  /** One unsigned number: a label, a local or a function. */
  | "index"
  /** Labels, the last of which is the default. */
  | "labels"
  /** A signed 32-bit constant. */
  | "i32"
  /** A signed 64-bit constant. */
  | "i64"
  /** A load's or store's offset; its alignment is said to be 1. */
  | "memory";

/** An instruction's opcode, and what follows it. */
export interface Opcode {
  readonly code: number;
  readonly immediates: Immediates;
}

const op = (code: number, immediates: Immediates = "none"): Opcode => ({
  code,
  immediates,
});

/** Opcodes by name. */
export const OPCODES = {
  "block": op(0x02, "block"),
  "loop": op(0x03, "block"),
  "if": op(0x04, "block"),
  "else": op(0x05),
  "end": op(0x0b),
  "br": op(0x0c, "index"),
  "br_if": op(0x0d, "index"),
  "br_table": op(0x0e, "labels"),
  "return": op(0x0f),
  "call": op(0x10, "index"),
  "drop": op(0x1a),
  "select": op(0x1b),
  "local.get": op(0x20, "index"),
  "local.set": op(0x21, "index"),
  "local.tee": op(0x22, "index"),
  "i32.load": op(0x28, "memory"),
  "i64.load": op(0x29, "memory"),
  "i32.load8_u": op(0x2d, "memory"),
  "i32.load16_u": op(0x2f, "memory"),
  "i32.store": op(0x36, "memory"),
  "i32.const": op(0x41, "i32"),
  "i64.const": op(0x42, "i64"),
  "i32.eqz": op(0x45),
  "i32.eq": op(0x46),
  "i32.ne": op(0x47),
  "i32.lt_u": op(0x49),
  "i32.gt_u": op(0x4b),
  "i64.eqz": op(0x50),
  "i64.eq": op(0x51),
  "i64.ne": op(0x52),
  "i32.add": op(0x6a),
  "i32.sub": op(0x6b),
  "i32.mul": op(0x6c),
  "i32.div_u": op(0x6e),
  "i32.rem_u": op(0x70),
  "i32.and": op(0x71),
  "i32.or": op(0x72),
  "i32.xor": op(0x73),
  "i32.shl": op(0x74),
  "i32.shr_u": op(0x76),
  "i32.rotl": op(0x77),
  "i32.rotr": op(0x78),
  "i64.add": op(0x7c),
  "i64.mul": op(0x7e),
  "i64.and": op(0x83),
  "i64.or": op(0x84),
  "i64.xor": op(0x85),
  "i64.shl": op(0x86),
  "i64.shr_u": op(0x88),
  "i32.wrap_i64": op(0xa7),
  "i64.extend_i32_u": op(0xad),
} as const satisfies Record<string, Opcode>;

/** The name of an instruction. */
export type OpName = keyof typeof OPCODES;

/** A value's type. */
export type ValueType = "i32" | "i64";

/** How a value's type is written. */
export const VALUE_TYPES = { i32: 0x7f, i64: 0x7e } as const satisfies Record<
  ValueType,
  number
>;

/** A block's type without a result. */
export const NO_RESULT = 0x40;

/** One instruction: its name and its immediates, which a printer would show alike. */
export interface Instruction {
  readonly op: OpName;
  readonly immediates: readonly (number | bigint)[];
}
