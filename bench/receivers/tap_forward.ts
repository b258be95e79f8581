/**
 * `tap_forward.ts NAME NAME`: passes packets from one TAP to another and back
 * with our driver, in the extents that they came in. Counts the bytes.
 */

import {
  type Batch,
  batchAt,
  EXTENT_PAGES,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../../drivers/driver.ts";
import { openTap } from "../../drivers/tap/open.ts";
import { reportTo } from "./report.ts";

const FRAMES = 64;
/** For each way. */
const EXTENTS = 64;

const [left = "", right = ""] = Deno.args;
const memory = makePacketMemory(FRAMES, 2 * EXTENTS);
let bytes = 0;

function open(interfaceName: string): Driver {
  return openTap({ kind: "tap", interfaceName, memory });
}

/** One way, for ever. A TAP takes what is written, or drops it in the kernel. */
async function pass(
  from: Driver,
  to: Driver,
  { batch, firstFrame }: {
    readonly batch: Batch;
    readonly firstFrame: number;
  },
): Promise<never> {
  const frames = Uint32Array.from(
    { length: EXTENTS },
    (_, i) => firstFrame + EXTENT_PAGES * i,
  );
  from.provide(frames, EXTENTS);
  for (;;) {
    const count = from.receive(batch, EXTENTS);
    if (count === 0) {
      await from.wait(1000);
      continue;
    }
    for (let i = 0; i < count; i++) bytes += batch.length[i]!;
    if (to.transmit(batch, count) !== count) {
      throw new Error(`tap_forward.ts: ${to.info.name} has no room`);
    }
    from.provide(frames, to.reclaim(frames));
  }
}

const drivers = [open(left), open(right)] as const;
pass(drivers[0], drivers[1], {
  batch: batchAt(memory, RECEIVE_BATCH_OFFSET),
  firstFrame: FRAMES,
});
pass(drivers[1], drivers[0], {
  batch: batchAt(memory, SEND_BATCH_OFFSET),
  firstFrame: FRAMES + EXTENTS * EXTENT_PAGES,
});
await reportTo(() => bytes);
for (const driver of drivers) driver[Symbol.dispose]();
Deno.exit(0);
