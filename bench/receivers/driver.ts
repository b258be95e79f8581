/**
 * `driver.ts IFNAME ADDRESS PORT`: receives UDP to that address and port
 * through AF_XDP with our driver and our kernel program, looks at each packet's
 * tag, counts, and gives the frame back.
 */

import { setImmediate } from "node:timers";
import {
  BATCH_MAX,
  batchAt,
  frameAt,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../caps/memory.ts";
import type { Driver } from "../../drivers/driver.ts";
import { openXdp } from "../../drivers/xdp/open.ts";
import { ipv4 } from "../../services/filter/builder.ts";
import { emitEbpf } from "../../services/filter/ebpf/emit.ts";
import { mergeTree } from "../../services/filter/tree.ts";
import { reportTo } from "./report.ts";

const FRAMES = 4096;
const TAG = { low: 0x89abcdef, high: 0x01234567 };

/** How long a busy loop keeps the thread from timers and events: as the driver service does. */
const BUSY_MS = 1;

const [interfaceName = "", address = "", port = ""] = Deno.args;
const memory = makePacketMemory(FRAMES);
const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
const frames = new Uint32Array(BATCH_MAX);
let packets = 0;
let untagged = 0;

/** Takes what is there, and gives its frames back. */
function turn(driver: Driver): number {
  const count = driver.receive(batch, BATCH_MAX);
  for (let i = 0; i < count; i++) {
    if (batch.tagLow[i] === TAG.low && batch.tagHigh[i] === TAG.high) packets++;
    else untagged++;
    frames[i] = frameAt(batch.offset[i]!);
  }
  if (count > 0) driver.provide(frames, count);
  return count;
}

async function receive(driver: Driver): Promise<void> {
  let yieldAt = performance.now() + BUSY_MS;
  for (;;) {
    if (turn(driver) === 0) await driver.wait(1000);
    else if (performance.now() <= yieldAt) continue;
    else await new Promise((resolve) => void setImmediate(resolve));
    yieldAt = performance.now() + BUSY_MS;
  }
}

function open(): Driver {
  const driver = openXdp({ interfaceName, memory });
  const grant = ipv4().udp().dst(address).dstPort(Number(port)).grant;
  const tree = mergeTree([{ slot: 1, grant, children: [] }]);
  driver.offload?.(emitEbpf(tree, () => TAG, { unclaimed: "kernel" }));
  for (let first = 0; first < FRAMES / 2; first += BATCH_MAX) {
    for (let i = 0; i < BATCH_MAX; i++) frames[i] = first + i;
    driver.provide(frames, BATCH_MAX);
  }
  return driver;
}

const driver = open();
receive(driver);
await reportTo(() => packets);
driver[Symbol.dispose]();
if (untagged > 0) {
  console.error(`driver.ts: ${untagged} packets without our tag`);
  Deno.exit(1);
}
Deno.exit(0);
