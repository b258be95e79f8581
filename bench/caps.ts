/**
 * `caps`: what authority costs. One more derivation, delegation and revocation
 * with 10,000 capabilities live, in the kernel with real grants, beside 100;
 * what the filter service then compiles or patches is `install`'s to measure.
 * Revoking a whole subtree, from the request until the driver posts nothing more
 * to it, beside a hundredth of it. And what of a packet's way to its holder is
 * the check that its capability is live: a share, to be small.
 */

import { Authority, type Costs } from "./caps/authority.ts";
import { CHECKED, makeCheck } from "./caps/check.ts";
import { Subtree } from "./caps/subtree.ts";
import { ours } from "./delivery/ours.ts";
import { summarize, takeTurns, timed } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const LIVE = 10000;
const FEW = 100;
const OPERATIONS = ["derive", "delegate", "revoke"] as const;

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  yield* operations(options);
  yield await subtree(options);
  yield await check(options);
}

function* operations({ quick }: BenchOptions): Generator<BenchRow> {
  const live = quick ? 1000 : LIVE;
  const [many, few] = [new Authority(live), new Authority(FEW)];
  const costs: { readonly many: Costs; readonly few: Costs }[] = [];
  // The first rounds are the compiler's.
  const [rounds, warm] = quick ? [3, 0] : [400, 100];
  for (let round = 0; round < rounds; round++) {
    const both = { many: many.measure(), few: few.measure() };
    if (round >= warm) costs.push(both);
  }
  for (const operation of OPERATIONS) {
    yield compare(
      {
        bench: "caps",
        case: `${operation} with ${live.toLocaleString("en-US")} live, ` +
          `beside ${FEW}`,
        unit: "µs",
      },
      summarize(costs.map(({ many }) => many[operation])),
      summarize(costs.map(({ few }) => few[operation])),
    );
  }
}

async function subtree({ quick }: BenchOptions): Promise<BenchRow> {
  const count = quick ? 1000 : LIVE;
  using tree = new Subtree();
  const turns = {
    whole: () => tree.measure(count),
    part: () => tree.measure(count / 100),
  };
  const { whole, part } = await takeTurns(turns, quick ? 1 : 5);
  const what = {
    bench: "caps",
    case: `revoke a subtree of ${count.toLocaleString("en-US")}, ` +
      `beside ${count / 100}`,
    unit: "ms",
  };
  return compare(what, whole, part);
}

async function check({ quick }: BenchOptions): Promise<BenchRow> {
  const live = quick ? 1000 : LIVE;
  const name = `the check, ${live.toLocaleString("en-US")} live, ` +
    "beside all of deliver (128 bytes, batch 64)";
  const what = { bench: "caps", case: name, unit: "ns/packet" };
  if (Deno.build.os !== "linux") {
    const why = "needs Linux: pages are made of frames through its C library";
    return compare(what, why, why);
  }
  const packet = new Uint8Array(128);
  packet.set([8, 0, 0x45], 12);
  packet.set([17], 23);
  packet.set([9000 >>> 8, 9000 & 255], 36);
  const delivery = { packet, port: 9000, batch: 64, way: "packed" } as const;
  const deliver = await ours(delivery);
  const packets = quick ? 1024 : 12800;
  const turns = {
    check: timed(makeCheck(live), { units: CHECKED, durationMs: 10 }),
    deliver: () => deliver.run(packets),
  };
  if (!quick) await takeTurns(turns, 3);
  const measures = await takeTurns(turns, quick ? 1 : 15);
  await deliver.end();
  return compare(what, measures.check, measures.deliver);
}
