/** Comparisons of the packet's bytes with constants, which need no change of byte order. */

import type { Compare } from "./decision.ts";
import type { ValueId, Values } from "./values.ts";

/** `(load & mask) = value`. */
export interface Equality {
  /** What is loaded. */
  readonly load: ValueId;
  readonly width: 1 | 2 | 4;
  /** Where it is loaded from; undefined for a computed place. */
  readonly offset: number | undefined;
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
  const { width, base, offset } = loaded;
  const all = 2 ** (8 * width) - 1;
  const bits = isMasked ? values.constantOf(found.right) : all;
  if (bits === undefined) return undefined;
  const mask = (bits & all) >>> 0;
  // A value with bits that the mask has not is never equal: swapped, it would lose them.
  if ((value & ~mask) !== 0) return undefined;
  return {
    load,
    width,
    offset: base === undefined ? offset : undefined,
    mask,
    value,
  };
}
