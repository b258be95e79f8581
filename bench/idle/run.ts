/**
 * `run.ts WHAT DURATIONMS [NIC]`: a process that waits, and then says what
 * processor time it took meanwhile, of all its threads: `{"cpuMsPerSecond": …}`.
 * `system` is a whole one with its services confined, `datagram` a socket that
 * nothing comes to.
 */

import { delay } from "@std/async/delay";
import process from "node:process";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { RunningSystem } from "../../services/system/running.ts";
import type { Nic } from "../../services/system/parts.ts";
import { PARTS } from "../../services/system/boot.ts";

/** How long the heap and the compilers are given to come to rest. */
const REST_MS = 3000;

const [what, duration, nic = "emulated"] = Deno.args;

const idle = what === "system" ? await system(nic) : datagram();
await delay(Number(duration) < REST_MS ? Number(duration) : REST_MS);
console.log(JSON.stringify(await measure(Number(duration))));
await idle.stop();

interface Idle {
  stop(): Promise<unknown>;
}

async function measure(
  durationMs: number,
): Promise<{ readonly cpuMsPerSecond: number }> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  await delay(durationMs);
  const { user, system } = process.cpuUsage(before);
  const spanMs = performance.now() - startMs;
  return { cpuMsPerSecond: (user + system) / spanMs };
}

/** The usual services; on the emulated wire nothing is sent. */
async function system(nic: string): Promise<Idle> {
  let farEnd: MessagePort | undefined;
  const quiet = (manifest: Parameters<typeof PARTS.nic>[0]): Nic => {
    const { peer, ...rest } = PARTS.nic(manifest);
    farEnd = peer;
    return rest;
  };
  const running = new RunningSystem(
    defaultManifest({ nic }),
    { ...PARTS, nic: quiet },
    { confined: true },
  );
  await running.start();
  return {
    stop: async () => {
      await running.stop();
      farEnd?.close();
    },
  };
}

function datagram(): Idle {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const received = socket.receive().catch(() => {});
  return {
    stop: () => {
      socket.close();
      return received;
    },
  };
}
