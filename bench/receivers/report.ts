/**
 * What every receiver of `receive` says, each a process of its own: "ready"
 * once it receives, then for each line that it is sent
 *
 * ```
 * {"packets":N,"cpuUs":N}
 * ```
 *
 * packets taken and processor time used (user and system, all threads, those of
 * its child processes included) since it began. It ends when its input does.
 */

import process from "node:process";
import { childrenCpuUs } from "./children_cpu.ts";

/** Says that packets may come, then answers lines until there are no more. */
export async function reportTo(
  packets: () => number | Promise<number>,
): Promise<void> {
  console.log("ready");
  for await (const _line of Deno.stdin.readable) {
    const { user, system } = process.cpuUsage();
    const taken = await packets();
    const cpuUs = user + system + await childrenCpuUs();
    console.log(JSON.stringify({ packets: taken, cpuUs }));
  }
}
