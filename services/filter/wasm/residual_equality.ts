/** Comparisons with constants in the order of memory, several with one load. */

import type { Step } from "../residual/bytes.ts";
import { type Compare, valuesOf } from "../residual/decision.ts";
import type { ValueId, Values } from "../residual/values.ts";
import type { Code, Label } from "./code.ts";
import {
  type LOADS,
  typeOf,
  writeUnlessEqual,
  writeWindow,
} from "./load_code.ts";
import type { ValueWriter } from "./residual_values.ts";
import { littleEndian, packWindows, windowValue } from "./windows.ts";

/** `(load & mask) = value`. */
export interface Equality {
  readonly load: ValueId;
  readonly width: keyof typeof LOADS & (1 | 2 | 4);
  /** Where it is; undefined for a computed place. */
  readonly offset: number | undefined;
  readonly mask: number;
  readonly value: number;
}

/** A comparison as an equality of bytes; undefined for others. */
export function equalityOf(
  values: Values,
  { operator, left, right }: Compare,
): Equality | undefined {
  const wanted = values.constantOf(right);
  if (operator !== "=" || wanted === undefined) return undefined;
  const value = values.at(left);
  if (value.kind === "load") return equality(values, left, undefined, wanted);
  if (value.kind !== "arithmetic" || value.operator !== "and") return undefined;
  const mask = values.constantOf(value.right);
  return mask === undefined
    ? undefined
    : equality(values, value.left, mask, wanted);
}

function equality(
  values: Values,
  load: ValueId,
  mask: number | undefined,
  value: number,
): Equality | undefined {
  const loaded = values.at(load);
  if (loaded.kind !== "load") return undefined;
  const { width, base, offset } = loaded;
  const all = 2 ** (8 * width) - 1;
  const bits = mask === undefined ? all : (mask & all) >>> 0;
  // Bits beyond the load's are 0 there; a value that has others is never equal.
  if ((value & ~bits) !== 0) return undefined;
  return {
    load,
    width,
    offset: base === undefined ? offset : undefined,
    mask: bits,
    value,
  };
}

/** Leaves for `otherwise` unless all hold. Several are of loads at constant places. */
export function writeEqualities(
  writer: ValueWriter,
  place: { readonly code: Code; readonly start: number },
  run: readonly Equality[],
  otherwise: Label,
): void {
  const { code, start } = place;
  const [only, second] = run;
  if (second === undefined) {
    const { load, width, mask, value } = only!;
    writer.writeRaw(load);
    if (mask !== 2 ** (8 * width) - 1) {
      code.op("i32.const", swapped(mask, width)).op("i32.and");
    }
    code.op("i32.const", swapped(value, width)).op("i32.ne")
      .branch("br_if", otherwise);
    return;
  }
  const pieces = run.map(({ offset, width, mask }) => ({
    offset: offset!,
    width,
    mask,
  }));
  const wanted = run.map(({ value }) => value);
  const end = Math.max(...pieces.map(({ offset, width }) => offset + width));
  for (const window of packWindows(pieces, end)) {
    const bytes = windowValue(window, pieces, wanted);
    if (bytes === undefined) code.branch("br", otherwise);
    else {
      writeWindow(code, start, window);
      writeUnlessEqual(code, typeOf(window), bytes, otherwise);
    }
  }
}

/** A number as a load of so many bytes has it. */
function swapped(value: number, width: 1 | 2 | 4): number {
  const bytes = Uint8Array.from(
    { length: width },
    (_, index) => value >>> (8 * (width - 1 - index)),
  );
  return Number(littleEndian(bytes));
}

/** How often each load and each result is wanted. */
export function usesOf(
  values: Values,
  steps: readonly Step[],
): Map<ValueId, number> {
  const uses = new Map<ValueId, number>();
  const use = (id: ValueId): void => {
    const value = values.at(id);
    if (value.kind !== "load" && value.kind !== "arithmetic") return;
    const count = (uses.get(id) ?? 0) + 1;
    uses.set(id, count);
    // What it is made of is wanted once, however often it is.
    if (count > 1) return;
    if (value.kind === "arithmetic") {
      use(value.left);
      use(value.right);
    } else if (value.base !== undefined) use(value.base);
  };
  for (const { decision } of steps) {
    if (decision.kind === "compare") {
      const found = equalityOf(values, decision);
      if (found !== undefined) {
        use(found.load);
        continue;
      }
    }
    for (const id of valuesOf(decision)) use(id);
  }
  return uses;
}
