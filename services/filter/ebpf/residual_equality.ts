/**
 * Comparisons of the packet's bytes with constants, in the order that they lie
 * in: what is loaded is not swapped, the constants are.
 */

import type { Equality } from "../residual/equality.ts";
import type { Code } from "./assembler.ts";
import { andImm32, jumpImm32 } from "./instruction.ts";
import type { ValueEmitter } from "./residual_values.ts";

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
