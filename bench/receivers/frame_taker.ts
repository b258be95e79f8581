/** Receives from a driver as the driver service does, with nothing behind it. */

import { setImmediate } from "node:timers";
import {
  type Batch,
  BATCH_MAX,
  batchAt,
  frameAt,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../../drivers/driver.ts";

/** How long a busy loop keeps the thread from timers and events: as the driver service does. */
const BUSY_MS = 1;

/** Shows `look` the first `count` packets of each batch, and gives their frames back; for ever. */
export async function takeFrames(
  driver: Driver,
  memory: PacketMemory,
  look: (batch: Batch, count: number) => void,
): Promise<never> {
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  const frames = new Uint32Array(BATCH_MAX);
  for (let first = 0; first < memory.frameCount / 2; first += BATCH_MAX) {
    for (let i = 0; i < BATCH_MAX; i++) frames[i] = first + i;
    driver.provide(frames, BATCH_MAX);
  }
  let yieldAt = performance.now() + BUSY_MS;
  for (;;) {
    const count = driver.receive(batch, BATCH_MAX);
    if (count > 0) {
      look(batch, count);
      for (let i = 0; i < count; i++) frames[i] = frameAt(batch.offset[i]!);
      driver.provide(frames, count);
      if (performance.now() <= yieldAt) continue;
      await new Promise((resolve) => void setImmediate(resolve));
    } else await driver.wait(1000);
    yieldAt = performance.now() + BUSY_MS;
  }
}
