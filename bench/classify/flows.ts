/**
 * 10 to 10,000 flows at once, UDP ports and TCP 5-tuples mixed: our merged tree
 * in Wasm, beside C written by hand for these very flows, and beside libpcap's
 * interpreter on one filter after another. Packets come in an order that is new
 * each time (shuffled.ts). What ten thousand cost beside ten is a row of its own,
 * and another for packets that come in one order, again and again.
 */

import { type Contestant, type Measure, takeTurns, timed } from "../rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "../row.ts";
import { cFlows, libpcapTexts, type Maker, wasmFlows } from "./contestants.ts";
import {
  FLOW_COUNTS,
  type FlowCase,
  flowCases,
  flowFrames,
} from "./flow_cases.ts";
import {
  checkAgreement,
  type Classify,
  makeGround,
  PACKETS,
} from "./ground.ts";
import { timedShuffled } from "./shuffled.ts";

/** From so many flows on libpcap goes over one batch only: it takes long enough. */
const ONE_BATCH_FLOWS = 1000;

const WHAT = { bench: "classify", unit: "ns/packet" };

interface Makers {
  readonly c: Maker<readonly FlowCase[]>;
  readonly libpcap: Maker<readonly string[]>;
}

/** Runs it: all numbers of flows in the same rounds. */
export async function* runFlows(
  { quick }: BenchOptions,
): AsyncGenerator<BenchRow> {
  const makers = { c: await cFlows(), libpcap: await libpcapTexts() };
  const durationMs = quick ? 0.1 : 4;
  const all: Record<string, Contestant> = {};
  for (const count of FLOW_COUNTS) {
    for (const [name, contestant] of contestantsOf(count, makers, durationMs)) {
      all[`${name} ${count}`] = contestant;
    }
  }
  const measures = await takeTurns(all, quick ? 1 : 31);
  const { c, libpcap } = makers;
  for (const count of FLOW_COUNTS) {
    const name = `${count.toLocaleString("en-US")} flows`;
    const ours = measures[`ours ${count}`]!;
    yield compare(
      { ...WHAT, case: `${name}, beside C -O2` },
      ours,
      typeof c === "string" ? c : measures[`c ${count}`]!,
    );
    yield compare(
      { ...WHAT, case: `${name}, beside libpcap, one after another` },
      ours,
      typeof libpcap === "string" ? libpcap : measures[`libpcap ${count}`]!,
    );
  }
  yield* growth(measures, typeof c !== "string");
}

/** What the most flows cost beside the fewest. */
function* growth(
  measures: Readonly<Record<string, Measure>>,
  hasC: boolean,
): Generator<BenchRow> {
  const [few, many] = [FLOW_COUNTS.at(0)!, FLOW_COUNTS.at(-1)!];
  const name = `${many.toLocaleString("en-US")} flows, beside ${few}`;
  for (const [who, words] of [["ours", "ours"], ["c", "C -O2"]] as const) {
    if (who === "c" && !hasC) continue;
    for (const [order, suffix] of [["", ""], [", in one order", " ordered"]]) {
      yield compare(
        { ...WHAT, case: `${name}, both ${words}${order}` },
        measures[`${who}${suffix} ${many}`]!,
        measures[`${who}${suffix} ${few}`]!,
      );
    }
  }
}

/** Contestants that classify for `count` flows, once they agree. */
function contestantsOf(
  count: number,
  { c, libpcap }: Makers,
  durationMs: number,
): (readonly [string, Contestant])[] {
  const flows = flowCases(count);
  const ground = makeGround(flowFrames(flows, PACKETS));
  const texts = flows.map(({ text }) => text);
  const classifiers: Record<string, Classify> = {
    ours: wasmFlows(ground, flows),
    ...(typeof c === "string" ? {} : { c: c(ground, flows) }),
    ...(typeof libpcap === "string" ? {} : { libpcap: libpcap(ground, texts) }),
  };
  const fewer: { libpcap?: number } = count < ONE_BATCH_FLOWS
    ? {}
    : { libpcap: 1 };
  const claimed = checkAgreement(ground, classifiers, fewer);
  if (claimed < PACKETS / 4 || claimed > PACKETS * 3 / 4) {
    throw new Error(`classify: ${claimed} of ${PACKETS} packets are claimed`);
  }
  return Object.entries(classifiers).flatMap(([name, classify]) => {
    if (name === "libpcap") {
      const batches = fewer.libpcap ?? ground.batches.length;
      const options = { durationMs, batches };
      return [[name, timedShuffled(ground, classify, options)]];
    }
    return [
      [name, timedShuffled(ground, classify, { durationMs })],
      [`${name} ordered`, timed(classify, { units: PACKETS, durationMs })],
    ];
  });
}
