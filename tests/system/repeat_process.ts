/**
 * Starts and stops systems, one after the other, and says as JSON what that left:
 * descriptors, threads, and kilobytes of address space. Ends by itself, which
 * shows that no timer and no port is left.
 *
 *     deno run -A --v8-flags=--expose-gc repeat_process.ts TIMES confined|in-process
 */

import { delay } from "@std/async/delay";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";

const { gc } = globalThis as unknown as { gc(): void };

async function runOnce(confined: boolean): Promise<void> {
  const manifest = defaultManifest({ pace: "at-once" });
  const system = await boot(manifest, { confined });
  await delay(20);
  const { pages } = await system.stop();
  if (pages.free !== pages.total) throw new Error(JSON.stringify(pages));
}

/** Resources of this process, once all that is unreachable is collected. */
async function held(): Promise<Record<string, number>> {
  for (let i = 0; i < 10; i++) {
    gc();
    await delay(50);
  }
  const status = await Deno.readTextFile("/proc/self/status");
  const of = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)![1]);
  const descriptors = [...Deno.readDirSync("/proc/self/fd")].length;
  return { descriptors, threads: of("Threads"), addressesKb: of("VmSize") };
}

const [times, how] = Deno.args;
const confined = how === "confined";
// What is loaded once and kept is there after the first ones.
for (let i = 0; i < 3; i++) await runOnce(confined);
const before = await held();
for (let i = 0; i < Number(times); i++) await runOnce(confined);
const after = await held();
console.log(JSON.stringify({ before, after }));
