/**
 * Measuring side by side: the contestants take turns, round after round, so
 * that what slows the machine for a while slows them alike.
 */

/** What came out for one contestant over all rounds. */
export interface Measure {
  readonly median: number;
  /** The 25th and the 75th percentile. */
  readonly quartiles: readonly [number, number];
}

/** A contestant: measures itself once and returns the figure. */
export type Contestant = () => number | Promise<number>;

/** Runs all contestants in turn, `rounds` times; one {@link Measure} for each, by name. */
export async function takeTurns<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  rounds: number,
): Promise<Record<Name, Measure>> {
  const names = Object.keys(contestants) as Name[];
  const figures = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      figures.get(name)!.push(await contestants[name]());
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, summarize(figures.get(name)!)]),
  ) as Record<Name, Measure>;
}

/** Median and quartiles of at least one figure. */
export function summarize(figures: readonly number[]): Measure {
  if (figures.length === 0) throw new RangeError("no figures to summarize");
  const sorted = [...figures].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
  };
}

/** The value below which `share` of the sorted figures lie, interpolated. */
function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  const low = sorted[below]!;
  return low + (sorted[above]! - low) * (position - below);
}

/**
 * A contestant that calls `body` as often as fills `durationMs`, and returns
 * nanoseconds of wall time a unit of work, of which each call does `units`.
 */
export function timed(
  body: () => void,
  options: { readonly units: number; readonly durationMs: number },
): Contestant {
  let calls = 1;
  return () => {
    for (;;) {
      const start = performance.now();
      for (let call = 0; call < calls; call++) body();
      const elapsedMs = performance.now() - start;
      if (elapsedMs >= options.durationMs / 2) {
        return elapsedMs * 1e6 / (calls * options.units);
      }
      // Too short to be read off the clock: more calls, and from now on.
      calls = Math.ceil(
        calls * Math.min(16, options.durationMs / Math.max(elapsedMs, 1e-3)),
      );
    }
  };
}
