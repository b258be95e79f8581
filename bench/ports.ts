/**
 * `ports`: what a request of a confined service to another and its answer take,
 * one under way at a time and 64 at once, with the processor time of the whole
 * process. Beside it a MessagePort between two workers: a small message through it
 * and back; a list of 64 for 64 at once.
 */

import {
  type Contestant,
  measure,
  messagePort,
  type RoundTrip,
  services,
} from "./ports/contestants.ts";
import { summarize } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const BATCH = 64;

/** What a port's request says, as one would write it for a MessagePort. */
const MESSAGE = { id: 1, address: 0x0a4d0001 };

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  yield* rows("one at a time", 1, {
    ours: () => services("one"),
    reference: () => Promise.resolve(messagePort(MESSAGE)),
  }, options);
  yield* rows(`${BATCH} at once, each`, BATCH, {
    ours: () => services("many"),
    reference: () => Promise.resolve(messagePort(Array(BATCH).fill(MESSAGE))),
  }, options);
}

async function* rows(
  words: string,
  batch: number,
  contestants: Readonly<
    Record<"ours" | "reference", () => Promise<Contestant>>
  >,
  { quick }: BenchOptions,
): AsyncGenerator<BenchRow> {
  const [rounds, forMs] = quick ? [1, 50] : [7, 1000];
  const taken: Record<"ours" | "reference", RoundTrip[]> = {
    ours: [],
    reference: [],
  };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["reference", "ours"] as const) {
      await using contestant = await contestants[name]();
      await measure(contestant, forMs / 2); // the compiler's
      taken[name].push(await measure(contestant, forMs));
    }
  }
  for (const [what, unit] of [["wallUs", "µs"], ["cpuUs", "CPU µs"]] as const) {
    yield compare(
      { bench: "ports", case: `request and answer, ${words}`, unit },
      // A batch of ours is counted request by request.
      summarize(taken.ours.map((one) => one[what])),
      summarize(taken.reference.map((one) => one[what] / batch)),
    );
  }
}
