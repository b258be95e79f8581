/**
 * `classify`: what it costs to find whose a packet is. One filter text; up to
 * 10,000 flows at once; and both in the kernel, in front of an AF_XDP socket. All
 * that are compared have given the same answers for every packet before.
 */

import { runFlows } from "./classify/flows.ts";
import { runKernel } from "./classify/kernel.ts";
import { runTexts } from "./classify/texts.ts";
import type { BenchOptions, BenchRow } from "./row.ts";

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  yield* runTexts(options);
  yield* runFlows(options);
  yield* runKernel(options);
}
