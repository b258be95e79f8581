/**
 * `classify`: nanoseconds a packet to find whose it is among 1 to 1,000
 * filters: our Wasm over packet memory, beside C written by hand for these very
 * filters, and beside libpcap's interpreter.
 */

import {
  type Batch,
  BATCH_MAX,
  batchAt,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../caps/memory.ts";
import { caseFilters, fillBatch, FILTER_COUNTS } from "./classify_cases.ts";
import {
  cClassifiers,
  type ClassifyBatch,
  libpcapClassifiers,
  wasmClassifier,
} from "./classify_contestants.ts";
import { takeTurns, timed } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const makeC = await cClassifiers();
  const makeLibpcap = await libpcapClassifiers();
  for (const count of FILTER_COUNTS) {
    const filters = caseFilters(count);
    const memory = makePacketMemory(BATCH_MAX);
    const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
    const ground = { memory, batch };
    fillBatch(memory, batch, filters);
    const contestants: Record<string, ClassifyBatch> = {
      ours: wasmClassifier(ground, filters),
    };
    if (typeof makeC !== "string") contestants.c = makeC(ground, filters);
    if (typeof makeLibpcap !== "string") {
      contestants.libpcap = makeLibpcap(ground, filters);
    }
    checkAgreement(batch, contestants);
    const measures = await takeTurns(
      Object.fromEntries(
        Object.entries(contestants).map(([name, classify]) => [
          name,
          timed(classify, {
            units: BATCH_MAX,
            durationMs: options.quick ? 0.1 : 8,
          }),
        ]),
      ),
      options.quick ? 1 : 41,
    );
    const what = { bench: "classify", unit: "ns/packet" };
    const filtersWords = `${count} ${count === 1 ? "filter" : "filters"}`;
    yield compare(
      { ...what, case: `${filtersWords}, beside C -O2` },
      measures.ours!,
      typeof makeC === "string" ? makeC : measures.c!,
    );
    yield compare(
      { ...what, case: `${filtersWords}, beside libpcap's bpf_filter` },
      measures.ours!,
      typeof makeLibpcap === "string" ? makeLibpcap : measures.libpcap!,
    );
  }
}

/** All must give every packet the same slot, and some packets one. */
function checkAgreement(
  batch: Batch,
  contestants: Readonly<Record<string, ClassifyBatch>>,
): void {
  let expected: Uint32Array | undefined;
  for (const [name, classify] of Object.entries(contestants)) {
    // What an earlier one left must not pass for this one's answer.
    batch.slot.fill(0xdead);
    classify();
    const slots = batch.slot.slice();
    expected ??= slots;
    for (let i = 0; i < BATCH_MAX; i++) {
      if (slots[i] === expected[i]) continue;
      throw new Error(
        `classify: packet ${i} is slot ${slots[i]} for ${name}, ${
          expected[i]
        } for ours`,
      );
    }
  }
  const claimed = expected!.filter((slot) => slot !== 0).length;
  if (claimed < BATCH_MAX / 4 || claimed === BATCH_MAX) {
    throw new Error(`classify: ${claimed} of ${BATCH_MAX} packets are claimed`);
  }
}
