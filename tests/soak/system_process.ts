/**
 * The system of a soak: services in confined workers, one of which fails now and
 * then, and capabilities opened and revoked beside them. Says a sample as JSON in
 * each line: one before traffic, those under it, one when all is still again, and
 * one when it has stopped. It goes on from the first, and from the one before the
 * last, when it is told to on standard input.
 *
 *     deno run -A system_process.ts NIC CIDR FOR_MS EVERY_MS LIFE_MS
 */

import { delay } from "@std/async/delay";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { PARTS } from "../../services/system/boot.ts";
import type { Parts } from "../../services/system/parts.ts";
import { RunningSystem } from "../../services/system/running.ts";
import type { Phase } from "./judge.ts";
import { churn, type Churned } from "./churn.ts";
import { FAILING_PORT } from "./crowd.ts";

/** What the system says of itself. */
export interface Said {
  readonly phase: Phase;
  readonly snapshot: SystemSnapshot;
  readonly churned: Churned;
}

/** How long pages may take to come back when nothing arrives any more. */
const STILL_MS_MAX = 5000;
const STILL_LOOK_MS = 100;

/** How long hands may take to give up what they have. */
const CHURN_MS_MAX = 10_000;

const SEED = 5;

function partsOf(forMs: number, lifeMs: number): Parts {
  const worker = (file: string) => new URL(file, import.meta.url);
  return {
    ...PARTS,
    peer: { ...PARTS.peer, worker: worker(`./crowd_worker.ts?${forMs}`) },
    services: {
      ...PARTS.services,
      "udp-echo": {
        ...PARTS.services["udp-echo"]!,
        worker: worker(`./failing_worker.ts?${lifeMs}`),
      },
    },
  };
}

function manifestOf(nic: string, address: string) {
  return defaultManifest({
    nic,
    address,
    seed: SEED,
    unclaimed: "drop",
    services: {
      arp: { core: "arp" },
      "icmp-echo": { core: "icmp-echo" },
      // By pages, where the others get copies.
      "udp-echo": { core: "udp-echo", port: 7, copyBytesMax: 0 },
      failing: { core: "udp-echo", port: FAILING_PORT, restart: "always" },
    },
  });
}

async function main(args: readonly string[]): Promise<void> {
  const [nic, address] = args;
  const [forMs, everyMs, lifeMs] = args.slice(2).map(Number);
  const manifest = manifestOf(nic!, address!);
  const parts = partsOf(forMs!, lifeMs!);
  const system = new RunningSystem(manifest, parts, {
    confined: true,
    paused: true,
  });
  await system.start();
  const churned = { opened: 0, closed: 0, refused: 0, packets: 0 };
  const say = (phase: Said["phase"], snapshot: SystemSnapshot) =>
    console.log(JSON.stringify({ phase, snapshot, churned }));
  say("begun", await system.snapshot());
  await told();
  system.receive();
  const untilMs = performance.now() + forMs!;
  const churning = churn(system, SEED, untilMs, churned);
  while (performance.now() < untilMs) {
    await delay(everyMs!);
    say("busy", await system.snapshot());
  }
  // Hands that are never answered are the judge's to find.
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, CHURN_MS_MAX);
  await Promise.race([churning, late.promise]);
  clearTimeout(timer);
  say("still", await stillness(system));
  await told();
  say("stopped", await system.stop());
}

/** Waits for a byte on standard input: whoever takes samples has taken one. */
async function told(): Promise<void> {
  await Deno.stdin.read(new Uint8Array(1));
}

/** The first snapshot with every page home and nothing new, or the last one that there was time for. */
async function stillness(system: RunningSystem): Promise<SystemSnapshot> {
  let last = await system.snapshot();
  for (let ms = 0; ms < STILL_MS_MAX; ms += STILL_LOOK_MS) {
    await delay(STILL_LOOK_MS);
    const now = await system.snapshot();
    const { free, total } = now.pages;
    const quiet = now.nic.receivedPackets === last.nic.receivedPackets;
    last = now;
    if (quiet && free === total) break;
  }
  return last;
}

await main(Deno.args);
