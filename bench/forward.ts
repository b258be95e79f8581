/**
 * `forward`: processor time (user and system) and cycles a packet of 64 bytes
 * forwarded on layer 2, both ways between two emulated NICs: our rings, our
 * compiled classifier and the Driver calls that every NIC has, beside the same
 * loop over the same rings in C. No kernel takes part, and what the load
 * generator does is not measured: it fills the rings, then they are forwarded
 * until they are empty, then it empties the others. The packets are in the
 * processor's caches then; where a NIC writes them, the first look at each costs
 * more, in both languages.
 *
 * Cycles are time by the clock that the core has at that moment, which C finds
 * out (bench/reference/forward.c); without a compiler, by `cpu MHz` of
 * /proc/cpuinfo, which may be less than that.
 */

import process from "node:process";
import { BATCH_MAX } from "../caps/memory/memory.ts";
import { type Contestant, contestants } from "./forward/field.ts";
import { type Measure, summarize, takeTurns } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

/** ixy's batch, and the driver service's. */
const BATCHES = [32, BATCH_MAX] as const;

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  for (const batchMax of BATCHES) {
    const { ours, inC, cyclesPerNs } = await contestants(batchMax);
    const fills = options.quick ? 2 : 1000;
    const turns: Record<string, () => number> = {
      ours: () => measure(ours, fills),
    };
    if (typeof inC !== "string") turns.inC = () => measure(inC, fills);
    if (!options.quick) await takeTurns(turns, 3);
    const clocks: number[] = [];
    const measures: Partial<Record<string, Measure>> = await takeTurns({
      clock: () => {
        clocks.push(cyclesPerNs());
        return clocks.at(-1)!;
      },
      ...turns,
    }, options.quick ? 1 : 9);
    const clock = summarize(clocks).median;
    const what = {
      bench: "forward",
      case: `64 bytes, batch ${batchMax}, beside C`,
    };
    const reference = measures.inC ?? String(inC);
    yield compare(
      { ...what, unit: "ns CPU/packet" },
      measures.ours!,
      reference,
    );
    yield compare(
      { ...what, unit: "cycles/packet" },
      scaled(measures.ours!, clock),
      typeof reference === "string" ? reference : scaled(reference, clock),
    );
  }
}

function scaled({ median, quartiles: [low, high] }: Measure, by: number) {
  return { median: median * by, quartiles: [low * by, high * by] } as const;
}

/** Fills the rings `fills` times and has `forward` empty them. Returns nanoseconds of processor time a packet. */
function measure({ field, forward }: Contestant, fills: number): number {
  let packets = 0;
  let cpuUs = 0;
  for (let i = 0; i < fills; i++) {
    const came = field.arrive();
    const before = process.cpuUsage();
    let handled = 0;
    for (let more = forward(); more > 0; more = forward()) handled += more;
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    packets += handled;
    if (handled !== came) throw new Error("forward: a packet was left");
    field.leave(came);
  }
  return cpuUs * 1000 / packets;
}
