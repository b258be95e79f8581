/**
 * `hostile`: what two services are delivered beside one that means ill, and
 * beside one that idles in its place; 5,000 packets a second to each of the
 * three on an emulated wire. Each run is a process, warmed up, measured from when
 * the service has begun; the runs take turns. Also the processor time and the peak
 * of resident memory of the whole process, the sender included.
 *
 * A service that spins, floods or allocates takes a core for as long as it is
 * not cut off: with less than three cores that is one of the others'.
 */

import { BEHAVIOURS } from "./hostile/system.ts";
import { type Ran, runHostile } from "./hostile/ran.ts";
import { summarize } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const PER_SECOND = 5000;

/** What is read off a run. */
const FIGURES = [
  { unit: "packets/s", of: (ran: Ran) => ran.perSecond },
  { unit: "CPU ms/s", of: (ran: Ran) => ran.cpuMsPerSecond },
  { unit: "MiB at most", of: (ran: Ran) => ran.rssPeak },
] as const;

/** Runs the benchmark. */
export async function* run({ quick }: BenchOptions): AsyncGenerator<BenchRow> {
  const load = { perSecond: PER_SECOND, durationMs: quick ? 100 : 2000 };
  const runs = new Map(BEHAVIOURS.map((behaviour) => [behaviour, [] as Ran[]]));
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    for (const [behaviour, rans] of runs) {
      rans.push(await runHostile(behaviour, load));
    }
  }
  const [beside, ...others] = BEHAVIOURS;
  for (const behaviour of others) {
    for (const { unit, of } of FIGURES) {
      yield compare(
        { bench: "hostile", case: `one ${behaviour}, beside one idles`, unit },
        summarize(runs.get(behaviour)!.map(of)),
        summarize(runs.get(beside)!.map(of)),
      );
    }
  }
}
