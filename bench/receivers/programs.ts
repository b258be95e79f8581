/**
 * `programs.ts IFNAME`: receives through AF_XDP with our driver, behind the
 * kernel program that each line names (classify/kernel_programs.ts), or behind
 * the one before for the line "count". Says "ready", then answers each line with
 *
 * ```
 * {"packets":N,"tagged":N,"slots":N}
 * ```
 *
 * packets taken since it began; and of those since the last program was named,
 * how many bore that program's tags, and how many different ones.
 */

import { makePacketMemory } from "../../caps/memory/memory.ts";
import { openXdp } from "../../drivers/xdp/open.ts";
import { isProgramName, programOf } from "../classify/kernel_programs.ts";
import { takeFrames } from "./frame_taker.ts";

const FRAMES = 4096;
/** More than there are slots: a power of two. */
const SLOTS = 4096;

const [interfaceName = ""] = Deno.args;
const memory = makePacketMemory(FRAMES);
const driver = openXdp({ interfaceName, memory });
const seen = new Uint8Array(SLOTS);
let packets = 0;
let tagged = 0;
/** The high half of a program's tags: tags that others left in a frame do not count. */
let version = 0;

takeFrames(driver, memory, ({ tagLow, tagHigh }, count) => {
  packets += count;
  for (let i = 0; i < count; i++) {
    if (tagHigh[i] !== version) continue;
    tagged++;
    seen[tagLow[i]! & (SLOTS - 1)] = 1;
  }
});

console.log("ready");
for await (const bytes of Deno.stdin.readable) {
  const line = new TextDecoder().decode(bytes).trim();
  if (isProgramName(line)) {
    version++;
    driver.classify?.(programOf(line, version));
    tagged = 0;
    seen.fill(0);
  } else if (line !== "count") throw new Error(`programs.ts: ${line}?`);
  const slots = seen.reduce((sum, one) => sum + one, 0);
  console.log(JSON.stringify({ packets, tagged, slots }));
}
driver[Symbol.dispose]();
Deno.exit(0);
