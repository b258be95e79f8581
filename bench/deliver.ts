/**
 * `deliver`: nanoseconds a packet from the driver service to a confined worker
 * and back: received from a NIC that always has a batch, classified, packed or
 * its page swapped, or its descriptor put in a ring for a worker that is
 * trusted, posted, looked at by a core, given back and checked; or called where it
 * lies, by a core in the driver's own thread. Beside it, what one would do with postMessage alone: no classifier, no permission
 * asked, and the packet copied for every message.
 */

import type {
  DeliveryCase,
  DeliveryContestant,
} from "./delivery/contestant.ts";
import { apart } from "./delivery/apart.ts";
import { datagram } from "./delivery/datagram.ts";
import type { Way } from "./delivery/plain.ts";
import { takeTurns } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const BATCHES = [1, 4, 16, 64, 256] as const;
const PORT = 9000;

/**
 * One large packet both ways, on which the threshold between copying
 * and swapping rests. More than 64 of them do not fit a holder's byte strings.
 */
const SHAPES = [
  { words: "packed, 128 bytes", sizeBytes: 128, way: "packed" },
  { words: "packed, 1514 bytes", sizeBytes: 1514, way: "packed" },
  { words: "swapped, 1514 bytes", sizeBytes: 1514, way: "swapped" },
  { words: "swapped, 65000 bytes", sizeBytes: 65_000, way: "swapped" },
  { words: "shared, 128 bytes", sizeBytes: 128, way: "shared" },
  { words: "shared, 1514 bytes", sizeBytes: 1514, way: "shared" },
  { words: "in the driver's thread, 128 bytes", sizeBytes: 128, way: "called" },
  {
    words: "in the driver's thread, 1514 bytes",
    sizeBytes: 1514,
    way: "called",
  },
] as const;
/** From here on it is packets that cost, and not messages. */
const LARGE_BATCH = 64;
const PACKED_BYTES_MAX = 64 * 1514;
/** As much as eight batches of may be out: half of packet memory's. */
const SWAPPED_BYTES_MAX = 16 * 65_000;

const WAYS: readonly { readonly way: Way; readonly words: string }[] = [
  { way: "clone", words: "a clone a packet" },
  { way: "transfer", words: "a transfer a packet" },
  { way: "clones", words: "a clone a batch" },
];

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const why = whyNot();
  if (why !== undefined) {
    const what = { bench: "deliver", case: "all", unit: "ns/packet" };
    yield compare(what, why, why);
    return;
  }
  for (const shape of SHAPES) {
    for (const batch of BATCHES) {
      const { sizeBytes, way, words } = shape;
      const most = way === "packed" ? PACKED_BYTES_MAX : SWAPPED_BYTES_MAX;
      if (batch * sizeBytes > most || options.quick && batch > 1) continue;
      const packet = datagram(sizeBytes, PORT);
      yield* runCase({ packet, port: PORT, batch, way }, {
        words: `${words}, batch ${batch}`,
        quick: options.quick,
      });
    }
  }
}

async function* runCase(
  what: DeliveryCase,
  { words, quick }: { readonly words: string; readonly quick: boolean },
): AsyncGenerator<BenchRow> {
  const contestants: Record<string, DeliveryContestant> = {
    ours: await apart(what, "ours"),
  };
  for (const { way } of WAYS) contestants[way] = await apart(what, way);
  // For some tens of milliseconds: messages cost more than packets, and what it
  // takes to wake and to warm up is shared by all of them.
  const most = what.batch < LARGE_BATCH ? 12_800 : 128_000;
  const batches = quick ? 16 : Math.ceil(most / (what.batch + 7));
  const packets = batches * what.batch;
  const turn = (contestant: DeliveryContestant) => () =>
    contestant.run(packets);
  const turns = Object.fromEntries(
    Object.entries(contestants).map(([name, one]) => [name, turn(one)]),
  );
  if (!quick) await takeTurns(turns, 2);
  const measures = await takeTurns(turns, quick ? 1 : 9);
  for (const contestant of Object.values(contestants)) await contestant.end();
  for (const { way, words: beside } of WAYS) {
    yield compare(
      {
        bench: "deliver",
        case: `${words}, beside ${beside}`,
        unit: "ns/packet",
      },
      measures.ours!,
      measures[way]!,
    );
  }
}

/** Pages can be swapped, and workers confined, only in some places. */
function whyNot(): string | undefined {
  if (Deno.build.os !== "linux") {
    return "needs Linux: pages are made of frames through its C library";
  }
  return undefined;
}
