/**
 * `driver.ts IFNAME ADDRESS PORT`: receives UDP to that address and port
 * through AF_XDP with our driver and our kernel program, looks at each packet's
 * tag, counts, and gives the frame back.
 */

import { makePacketMemory } from "../../caps/memory/memory.ts";
import { openXdp } from "../../drivers/xdp/open.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { emitEbpf } from "../../services/filter/ebpf/emit.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { takeFrames } from "./frame_taker.ts";
import { reportTo } from "./report.ts";

const FRAMES = 4096;
const TAG = { low: 0x89abcdef, high: 0x01234567 };

const [interfaceName = "", address = "", port = ""] = Deno.args;
const memory = makePacketMemory(FRAMES);
const driver = openXdp({ interfaceName, memory });
const grant = ipv4().udp().dst(address).dstPort(Number(port)).grant;
const tree = mergeTree([{ slot: 1, grant, children: [] }]);
driver.classify?.(emitEbpf(tree, () => TAG, { unclaimed: "kernel" }));
let packets = 0;
let untagged = 0;

takeFrames(driver, memory, (batch, count) => {
  for (let i = 0; i < count; i++) {
    if (batch.tagLow[i] === TAG.low && batch.tagHigh[i] === TAG.high) packets++;
    else untagged++;
  }
});
await reportTo(() => packets);
driver[Symbol.dispose]();
if (untagged > 0) {
  console.error(`driver.ts: ${untagged} packets without our tag`);
  Deno.exit(1);
}
Deno.exit(0);
