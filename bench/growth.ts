/**
 * `growth`: processor time (user and system, of all threads) a packet from a
 * NIC that always has a batch to a confined worker and back, with 1 to 256
 * capabilities on that NIC. One worker holds them all, each for a UDP port of its
 * own. Batches that are packed go to them in turn, swapped ones to the last, since
 * pages are carved out among them. The reference is one capability.
 *
 * A batch goes to one capability. Where it is for many it is not flat: a message is
 * posted for each that a batch has packets for, and a message costs as much as
 * dozens of packets.
 */

import process from "node:process";
import type { DeliveryContestant } from "./delivery/contestant.ts";
import { datagram } from "./delivery/datagram.ts";
import { ours } from "./delivery/ours.ts";
import { takeTurns } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

/** Capabilities beside one. */
export const GROWTH_COUNTS = [16, 64, 256] as const;

const PORT = 9000;
const BATCH = 256;

const SHAPES = [
  { words: "packed, 128 bytes", sizeBytes: 128, way: "packed" },
  { words: "swapped, 1514 bytes", sizeBytes: 1514, way: "swapped" },
] as const;

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const unit = "ns CPU/packet";
  if (Deno.build.os !== "linux") {
    const why = "needs Linux: pages are made of frames through its C library";
    yield compare({ bench: "growth", case: "all", unit }, why, why);
    return;
  }
  for (const { words, sizeBytes, way } of SHAPES) {
    const contestants = new Map<string, DeliveryContestant>();
    for (const capabilities of [1, ...GROWTH_COUNTS]) {
      const to = way === "swapped" ? PORT + capabilities - 1 : PORT;
      const packet = datagram(sizeBytes, to);
      const what = { packet, port: PORT, batch: BATCH, way, capabilities };
      contestants.set(String(capabilities), await ours(what));
    }
    const packets = (options.quick ? 16 : 400) * BATCH;
    const turns = Object.fromEntries(
      [...contestants].map(([name, one]) => [name, () => cpu(one, packets)]),
    );
    if (!options.quick) await takeTurns(turns, 2);
    const measures = await takeTurns(turns, options.quick ? 1 : 9);
    for (const contestant of contestants.values()) await contestant.end();
    for (const count of GROWTH_COUNTS) {
      yield compare(
        {
          bench: "growth",
          case: `${words}, ${count} capabilities, beside one`,
          unit,
        },
        measures[count]!,
        measures[1]!,
      );
    }
  }
}

/** Processor time of the whole process a packet. */
async function cpu(
  contestant: DeliveryContestant,
  packets: number,
): Promise<number> {
  const before = process.cpuUsage();
  await contestant.run(packets);
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000 / packets;
}
