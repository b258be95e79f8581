/** What is compared: a request to another service and its answer, and a message through a MessagePort and back. */

import { delay } from "@std/async/delay";
import { cpuUsage } from "node:process";
import { boot, defaultManifest, type System } from "../../mod.ts";
import type { PingStart } from "./ping_worker.ts";

/** What a round trip took. */
export interface RoundTrip {
  readonly wallUs: number;
  /** User and system time of the whole process. */
  readonly cpuUs: number;
}

/** Something whose round trips are counted as long as it is there. */
export interface Contestant extends AsyncDisposable {
  /** Round trips so far. */
  count(): Promise<number>;
}

/** Measures for so long. */
export async function measure(
  contestant: Contestant,
  forMs: number,
): Promise<RoundTrip> {
  const before = await contestant.count();
  const startMs = performance.now();
  const cpuBefore = cpuUsage();
  await delay(forMs);
  const { user, system } = cpuUsage(cpuBefore);
  const wallUs = (performance.now() - startMs) * 1000;
  const trips = await contestant.count() - before;
  return { wallUs: wallUs / trips, cpuUs: (user + system) / trips };
}

const ASKING = new URL("./asking_module.ts", import.meta.url);
const ANSWERING = new URL("./answering_module.ts", import.meta.url);

/** Two confined services, of which one asks the other at its port of this name. */
export async function services(port: "one" | "many"): Promise<Contestant> {
  const module = ({ pathname: path }: URL, receives: string) =>
    ({ core: "module", path, receives }) as const;
  const system: System = await boot(
    defaultManifest({
      nic: "wire:ports-bench",
      services: {
        asking: {
          ...module(ASKING, "udp dst port 4001"),
          ports: { [port]: "answering" },
        },
        answering: module(ANSWERING, "udp dst port 4002"),
      },
    }),
    { confined: true },
  );
  return {
    async count() {
      const { services } = await system.snapshot();
      return services[0]!.counters["answered"]!;
    },
    async [Symbol.asyncDispose]() {
      await system.stop();
    },
  };
}

/** Two workers with a MessagePort between them, through which `message` goes. */
export function messagePort(message: unknown): Contestant {
  const { port1, port2 } = new MessageChannel();
  const count = new Int32Array(new SharedArrayBuffer(4));
  const start = (start: PingStart) => {
    const worker = new Worker(new URL("./ping_worker.ts", import.meta.url), {
      type: "module",
    });
    worker.postMessage(start, [start.port]);
    return worker;
  };
  const workers = [
    start({ port: port1, message }),
    start({ port: port2, message, count }),
  ];
  return {
    count: () => Promise.resolve(Atomics.load(count, 0)),
    [Symbol.asyncDispose]() {
      for (const worker of workers) worker.terminate();
      return Promise.resolve();
    },
  };
}
