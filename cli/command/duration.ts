/** Durations on the command line: `500ms`, `5s`, `2m`, `1h`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest delay that a timer takes: 2^31 - 1 ms, over 24 days. */
const DURATION_MAX_MS = 0x7fffffff;

/**
 * Reads a duration in whole milliseconds, 1 to 2^31 - 1; undefined for
 * anything else.
 */
export function readDuration(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const durationMs = Math.round(Number(match[1]) * UNIT_MS[match[2]!]!);
  return durationMs >= 1 && durationMs <= DURATION_MAX_MS
    ? durationMs
    : undefined;
}
