/** What a benchmark says: one comparison a row, as a table for people or as JSON. */

import type { Measure } from "./rounds.ts";

/** One comparison, or the reason why it could not be made. */
export interface BenchRow {
  /** The benchmark's name, as `deno task bench NAME` takes it. */
  readonly bench: string;
  /** What was measured, and beside what. */
  readonly case: string;
  /** Ours in `unit`; null when it could not be measured. */
  readonly ours: number | null;
  /** The reference in `unit`, from the same run; null when it could not be measured. */
  readonly reference: number | null;
  /** `ours / reference`; null when one of them is missing. */
  readonly ratio: number | null;
  /** What the figures count: `ns/packet`, `packets/s`. */
  readonly unit: string;
  /** Quartiles of ours and of the reference over the rounds, in `unit`. */
  readonly spread?: {
    readonly ours: readonly [number, number] | null;
    readonly reference: readonly [number, number] | null;
  };
  /** Why a figure is missing, in words. */
  readonly note?: string;
}

/** What a benchmark is asked for. */
export interface BenchOptions {
  /** Only as much as shows that the pieces work together: the figures mean nothing. */
  readonly quick: boolean;
}

/** A benchmark: yields its rows as they are measured. */
export type Bench = (options: BenchOptions) => AsyncGenerator<BenchRow>;

/** The row that compares two measures; a string stands for a missing one and says why. */
export function compare(
  what: Pick<BenchRow, "bench" | "case" | "unit">,
  ours: Measure | string,
  reference: Measure | string,
): BenchRow {
  const left = typeof ours === "string" ? undefined : ours;
  const right = typeof reference === "string" ? undefined : reference;
  const notes = [ours, reference].filter((side) => typeof side === "string");
  return {
    ...what,
    ours: left?.median ?? null,
    reference: right?.median ?? null,
    ratio: left !== undefined && right !== undefined && right.median !== 0
      ? left.median / right.median
      : null,
    spread: {
      ours: left?.quartiles ?? null,
      reference: right?.quartiles ?? null,
    },
    ...(notes.length === 0 ? {} : { note: [...new Set(notes)].join("; ") }),
  };
}

/** The rows as JSON: an array of `{bench, case, ours, reference, ratio, unit}`, with `note` where a figure is missing. */
export function rowsToJson(rows: readonly BenchRow[]): string {
  const names = ["bench", "case", "ours", "reference", "ratio", "unit", "note"];
  return JSON.stringify(rows, names, 2);
}

/** Characters of the longest case. */
const CASE_WIDTH = 73;

/** One row of the table, in columns of fixed width. */
export function rowToLine(row: BenchRow): string {
  const cells = [
    row.bench.padEnd(9),
    row.case.padEnd(CASE_WIDTH),
    figure(row.ours, row.spread?.ours).padEnd(26),
    figure(row.reference, row.spread?.reference).padEnd(26),
    (row.ratio === null ? "-" : ratio(row.ratio)).padStart(6),
    ` ${row.unit}`,
  ];
  const note = row.note === undefined ? "" : `  (not measured: ${row.note})`;
  return (cells.join(" ") + note).trimEnd();
}

/** The line above the rows. */
export function headerLine(): string {
  return [
    "bench".padEnd(9),
    "case".padEnd(CASE_WIDTH),
    "ours [quartiles]".padEnd(26),
    "reference [quartiles]".padEnd(26),
    " ratio",
    " unit",
  ].join(" ");
}

function figure(
  value: number | null,
  quartiles: readonly [number, number] | null | undefined,
): string {
  if (value === null) return "-";
  const spread = quartiles === null || quartiles === undefined
    ? ""
    : ` [${short(quartiles[0])} ${short(quartiles[1])}]`;
  return short(value) + spread;
}

/** Two decimals, or two significant digits of what is small. */
function ratio(value: number): string {
  return value < 0.095 ? value.toPrecision(1) : value.toFixed(2);
}

/** Three significant digits or so, without an exponent. */
function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
