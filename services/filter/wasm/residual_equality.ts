/** Comparisons with constants in the order of memory, several with one load. */

import type { Step } from "../residual/steps.ts";
import { valuesOf } from "../residual/decision.ts";
import { type Equality, equalityOf } from "../residual/equality.ts";
import type { ValueId, Values } from "../residual/values.ts";
import type { Code, Label } from "./code.ts";
import { typeOf, writeUnlessEqual, writeWindow } from "./load_code.ts";
import type { ValueWriter } from "./residual_values.ts";
import { littleEndian, packWindows, windowValue } from "./windows.ts";

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
