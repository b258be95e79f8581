/** Text for terminals: what fits, what may be printed, numbers for people. */

import type { Counts } from "../../caps/driver/accounts.ts";

/**
 * `text` on one line and without a character that a terminal would act on:
 * names and failures come from services, which are not trusted with escape
 * sequences or with the direction of text.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

const NARROW_BELOW = 0x300;
const NARROW = new Set(["…", "·"]);

/**
 * The columns that `text` takes at most. Beyond Latin letters each character
 * is reckoned as two columns, which no terminal exceeds.
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) {
    const narrow = char.codePointAt(0)! < NARROW_BELOW || NARROW.has(char);
    columns += narrow ? 1 : 2;
  }
  return columns;
}

/** `text`, made printable and cut with "…" so that it takes at most `columns`. */
export function fit(text: string, columns: number): string {
  const clean = printable(text);
  if (columnsOf(clean) <= columns) return clean;
  if (columns < 1) return "";
  let taken = 0;
  let kept = "";
  for (const char of clean) {
    taken += columnsOf(char);
    if (taken > columns - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

/** `text` with spaces after it until it takes `columns`. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/** `text` with spaces before it until it takes `columns`. */
export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/** `1,234,567`: exact. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `812 B`, `1.2 kB`, `3.4 MB`: powers of 1,000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** `9.5`, `120`, `1,234`: events a second. */
export function formatRate(perSecond: number): string {
  return perSecond < 10
    ? perSecond.toFixed(1)
    : formatCount(Math.round(perSecond));
}

/** `5.0 s`, `2:03 min`, `1:02:03 h`. */
export function formatElapsed(elapsedMs: number): string {
  if (elapsedMs < 59_950) return `${(elapsedMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(elapsedMs / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)} min`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${
    two(seconds % 60)
  } h`;
}

/** The counts that are not 0, largest first, then by name. */
function sortedCounts(counts: Counts): [name: string, count: number][] {
  return Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** The sum of all counts. */
export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/**
 * `no-page 3 · revoked 2`, in at most `columns`: those that find no room are
 * summed at the end (`2 more: 17`), so that nothing goes missing.
 */
export function formatCounts(counts: Counts, columns = Infinity): string {
  const sorted = sortedCounts(counts);
  const items = sorted.map(([name, count]) =>
    `${printable(name)} ${formatCount(count)}`
  );
  const rests = sorted.map((_, index) => {
    const rest = sorted.slice(index);
    const sum = rest.reduce((total, [, count]) => total + count, 0);
    return `${rest.length} more: ${formatCount(sum)}`;
  });
  for (let shown = items.length; shown >= 0; shown--) {
    const rest = shown < items.length ? [rests[shown]!] : [];
    const line = [...items.slice(0, shown), ...rest].join(" · ");
    if (columnsOf(line) <= columns) return line;
  }
  return fit(rests[0] ?? "", columns);
}
