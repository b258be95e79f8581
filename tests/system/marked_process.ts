/**
 * Runs services that try the ways of marked_ways.ts, and says as JSON what became
 * of them. With `--bare` a worker posts the object itself, which must end this
 * process: that shows that the ways are worth closing.
 */

import { delay } from "@std/async/delay";
import {
  defaultManifest,
  type ServiceManifestInput,
} from "../../services/manifest/manifest.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { boot } from "../../services/system/boot.ts";
import { moduleOf, RUNNING, STARTING, type Way } from "./marked_ways.ts";

/** How long the ways may take. */
const PATIENCE_MS = 8000;

function postMarked(): void {
  const text = `let brand;
    structuredClone(Object.create(new Proxy({}, {
      has: (_, key) => { brand = key; return false; },
    })));
    postMessage({ [brand]: () => ({ type: "nonesuch" }) });`;
  new Worker(`data:text/javascript,${encodeURIComponent(text)}`, {
    type: "module",
  }).onmessage = () => Deno.exit(0);
}

/** The services of these ways, in a manifest. */
function manifestOf(folder: string, ways: Readonly<Record<string, Way>>) {
  const services: Record<string, ServiceManifestInput> = {
    arp: { core: "arp" },
  };
  Object.entries(ways).forEach(([name, way], index) => {
    const path = `${folder}/${name}.js`;
    Deno.writeTextFileSync(path, moduleOf(way));
    const { receives = `udp dst port ${index + 100}` } = way;
    services[name] = {
      ...{ core: "module", path, receives, restart: "never" },
      ...{ sends: `udp src port ${index + 100}`, quotaPages: 8 },
    };
  });
  return defaultManifest({ services });
}

/** Whether all have done what they do. */
function isOver({ services }: SystemSnapshot): boolean {
  return services.every(({ name, state, counters, capabilities }) => {
    const way = RUNNING[name];
    if (way === undefined) return true;
    if (way.fails !== undefined) return state === "failed";
    if (state === "failed") return true;
    return way.receives === undefined
      ? way.counts === undefined || Object.keys(counters).length > 0
      : capabilities.some(({ deliveredPackets }) => deliveredPackets > 0);
  });
}

async function runAll(folder: string): Promise<SystemSnapshot> {
  const manifest = manifestOf(folder, RUNNING);
  const system = await boot(manifest, { confined: true });
  const until = performance.now() + PATIENCE_MS;
  // A second heartbeat later than the last of them acts.
  await delay(300);
  while (performance.now() < until && !isOver(await system.snapshot())) {
    await delay(50);
  }
  return await system.stop();
}

/** What is said of a service that does not start. */
async function startOne(folder: string, name: string): Promise<string> {
  const manifest = manifestOf(folder, { [name]: STARTING[name]! });
  try {
    const system = await boot(manifest, { confined: true });
    await system.stop();
    return "it started";
  } catch (error) {
    return (error as Error).message;
  }
}

if (Deno.args[0] === "--bare") postMarked();
else {
  const folder = Deno.makeTempDirSync();
  try {
    const started: Record<string, string> = {};
    for (const name of Object.keys(STARTING)) {
      started[name] = await startOne(folder, name);
    }
    const { services } = await runAll(folder);
    console.log(JSON.stringify({ started, services }));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
