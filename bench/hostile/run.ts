/**
 * `run.ts BEHAVIOUR PERSECOND DURATIONMS [UNTIL]`: one run, in a process of its own,
 * since a worker that never returns to its event loop goes on until the process
 * ends. Prints what came of it, as one line of JSON. With UNTIL, `failed` or
 * `ended`, it ends as soon as the service, or the system, is.
 */

import { delay } from "@std/async/delay";
import process from "node:process";
import { given } from "../../caps/kernel/given.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { Ran } from "./ran.ts";
import { type Behaviour, HOSTILE, hostileSystem, VICTIMS } from "./system.ts";

const PAYLOAD_BYTES = 86;

/** How long the victims are left to begin, before anything is counted. */
const WARM_MS = 100;

const [behaviour, perSecond, durationMs, until] = Deno.args;
const failed = Promise.withResolvers<void>();
const failures: string[] = [];
const load = { perSecond: Number(perSecond), payloadBytes: PAYLOAD_BYTES };
const system = hostileSystem(
  behaviour as Behaviour,
  load,
  (_name, failure) => {
    failures.push(failure);
    failed.resolve();
  },
);
await system.start();
console.log(JSON.stringify(await measure(Number(durationMs))));
Deno.exit(0);

async function measure(durationMs: number): Promise<Ran> {
  const rss = () => Deno.memoryUsage().rss / 2 ** 20;
  const rssBefore = rss();
  let rssPeak = 0;
  const sampling = setInterval(() => {
    rssPeak = Math.max(rssPeak, rss());
  }, 10);
  let ended: string | undefined;
  void system.ended.then((ending) => {
    if (ending.reason === "failed") ended = ending.error.message;
  });
  await delay(WARM_MS);
  const startMs = performance.now();
  const before = await system.snapshot();
  const cpuBefore = process.cpuUsage();
  const over = { failed: failed.promise, ended: system.ended }[until!] ??
    new Promise(() => {});
  await Promise.race([delay(durationMs), over]);
  const { user, system: inKernel } = process.cpuUsage(cpuBefore);
  const spanMs = performance.now() - startMs;
  const after = ended === undefined ? await system.snapshot() : before;
  clearInterval(sampling);
  const offered = after.peer!["sent"]! - before.peer!["sent"]!;
  const last = ended === undefined ? await system.stop() : after;
  return {
    perSecond: delivered(after) * 1000 / spanMs -
      delivered(before) * 1000 / spanMs,
    offered: offered * VICTIMS.length,
    cpuMsPerSecond: (user + inKernel) / spanMs,
    rssBefore,
    rssPeak,
    failures,
    ...given({ ended }),
    hostile: last.services.find(({ name }) => name === HOSTILE)!,
    victims: last.services.filter(({ name }) => name !== HOSTILE),
    pages: last.pages,
    peer: last.peer!,
  };
}

/** Packets that the victims were delivered. */
function delivered({ services }: SystemSnapshot): number {
  return services.filter(({ name }) => name !== HOSTILE)
    .flatMap(({ capabilities }) => capabilities)
    .reduce((sum, { deliveredPackets }) => sum + deliveredPackets, 0);
}
