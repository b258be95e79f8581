/** Code that loads from a packet. */

import type { Code, Label } from "./code.ts";
import type { OpName, ValueType } from "./opcodes.ts";
import { littleEndian, type Window } from "./windows.ts";

/** Loads by their width in bytes. */
export const LOADS = {
  1: "i32.load8_u",
  2: "i32.load16_u",
  4: "i32.load",
  8: "i64.load",
} as const satisfies Record<number, OpName>;

/** The type of a window's load. */
export function typeOf(window: Window): ValueType {
  return window.width === 8 ? "i64" : "i32";
}

/** Leaves a window's masked load on the stack, in the order of memory. */
export function writeWindow(code: Code, base: number, window: Window): void {
  const type = typeOf(window);
  code.op("local.get", base).op(LOADS[window.width], window.offset);
  if (window.mask.every((byte) => byte === 0xff)) return;
  code.op(`${type}.const`, littleEndian(window.mask)).op(`${type}.and`);
}

/** Leaves for `fail` unless the number on the stack is these bytes'. */
export function writeUnlessEqual(
  code: Code,
  type: ValueType,
  bytes: Uint8Array,
  fail: Label,
): void {
  code.constant(type, littleEndian(bytes)).op(`${type}.ne`)
    .branch("br_if", fail);
}

/** Leaves a big-endian load on the stack, as a number that can be ordered. */
export function writeNumber(
  code: Code,
  base: number,
  place: { readonly offset: number; readonly width: 1 | 2 | 4 },
): void {
  code.op("local.get", base).op(LOADS[place.width], place.offset);
  writeSwapped(code, place.width);
}

/** Turns what a load of so many bytes left into the number that the bytes are. */
export function writeSwapped(code: Code, width: 1 | 2 | 4): void {
  const value = code.local("i32");
  if (width === 2) {
    code.op("local.tee", value).op("i32.const", 8).op("i32.shl")
      .op("i32.const", 0xff00).op("i32.and")
      .op("local.get", value).op("i32.const", 8).op("i32.shr_u").op("i32.or");
  } else if (width === 4) {
    code.op("local.tee", value).op("i32.const", 8).op("i32.rotl")
      .op("i32.const", 0x00ff00ff).op("i32.and")
      .op("local.get", value).op("i32.const", 8).op("i32.rotr")
      .op("i32.const", 0xff00ff00).op("i32.and").op("i32.or");
  }
  code.release("i32", value);
}
