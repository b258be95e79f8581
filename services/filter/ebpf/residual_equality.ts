/**
 * Comparisons of the packet's bytes with constants, in the order that they lie
 * in: what is loaded is not swapped, the constants are.
 */

import type { Compare } from "../residual/decision.ts";
import type { ValueId, Values } from "../residual/values.ts";
import type { Code } from "./assembler.ts";
import { andImm32, jumpImm32 } from "./instruction.ts";
import type { ValueEmitter } from "./residual_values.ts";

/** `(load & mask) = value`. */
export interface Equality {
  /** What is loaded. */
  readonly load: ValueId;
  /** Its bytes. */
  readonly width: 1 | 2 | 4;
  /** Bits that count, as a big-endian load has them. */
  readonly mask: number;
  /** What they are compared with; no bits outside the mask. */
  readonly value: number;
}

/** A comparison as an equality of bytes; undefined for others. */
export function equalityOf(
  values: Values,
  { operator, left, right }: Compare,
): Equality | undefined {
  const value = values.constantOf(right);
  if (operator !== "=" || value === undefined) return undefined;
  const found = values.at(left);
  const isMasked = found.kind === "arithmetic" && found.operator === "and";
  const load = isMasked ? found.left : left;
  const loaded = isMasked ? values.at(load) : found;
  if (loaded.kind !== "load") return undefined;
  const { width } = loaded;
  const all = 2 ** (8 * width) - 1;
  const bits = isMasked ? values.constantOf(found.right) : all;
  if (bits === undefined) return undefined;
  const mask = (bits & all) >>> 0;
  // A value with bits that the mask has not is never equal: swapped, it would lose them.
  if ((value & ~mask) !== 0) return undefined;
  return { load, width, mask, value };
}

/** Jumps to `target` when the equality is true, or when it is not: see `condition`. */
export function emitEquality(
  code: Code,
  values: ValueEmitter,
  { load, width, mask, value }: Equality,
  jump: { readonly condition: number; readonly target: string },
): void {
  const bytes = values.raw(load);
  if (mask !== 2 ** (8 * width) - 1) {
    code.push(andImm32(bytes, swapped(mask, width)));
  }
  const wanted = swapped(value, width);
  code.push(jumpImm32(jump.condition, bytes, wanted, jump.target));
}

/** A number as a little-endian load of its bytes has it. */
function swapped(value: number, width: 1 | 2 | 4): number {
  let result = 0;
  for (let index = 0; index < width; index++) {
    result = result * 256 + ((value >>> (8 * index)) & 0xff);
  }
  return result;
}
