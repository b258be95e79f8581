/** Capabilities that a system's own program opens, reads, and gives up, again and again. */

import { delay } from "@std/async/delay";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { Random } from "../../services/runtime/random.ts";
import { RefusedError } from "../../services/filter/service/client.ts";
import type { OpenOptions, System } from "../../services/system/boot.ts";
import { CHURNED_PORT, CHURNED_PORTS } from "./crowd.ts";

/** What it did. */
export interface Churned {
  opened: number;
  closed: number;
  /** What overlapped another's: it is meant to, now and then. */
  refused: number;
  packets: number;
}

/** Hands at work side by side: what they want overlaps sometimes. */
const HANDS = 4;
const PAUSE_MS_MAX = 40;

/** Opens and closes until `untilMs` of `performance.now()`. All is given up when it resolves. */
export async function churn(
  system: System,
  seed: number,
  untilMs: number,
  done: Churned,
): Promise<void> {
  await Promise.all(Array.from({ length: HANDS }, async (_, hand) => {
    const random = new Random(seed * HANDS + hand);
    while (performance.now() < untilMs) {
      try {
        await openOnce(system, random, done);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        done.refused++;
        await pause(random);
      }
    }
  }));
}

async function openOnce(
  system: System,
  random: Random,
  done: Churned,
): Promise<void> {
  const port = CHURNED_PORT + random.below(CHURNED_PORTS);
  const receiver = await system.open(
    ipv4().udp().dstPort(port).grant,
    optionsOf(random),
  );
  done.opened++;
  const reads = random.chance(0.75)
    ? (async () => {
      for await (const packet of receiver) {
        done.packets += packet.bytes.length > 0 ? 1 : 0;
      }
    })()
    : Promise.resolve(); // what comes stays unread
  await pause(random);
  await receiver[Symbol.asyncDispose]();
  await reads;
  done.closed++;
}

/** Each a little different from the one before. */
function optionsOf(random: Random): OpenOptions {
  return {
    quotaPages: random.between(1, 16),
    copyBytesMax: random.chance(0.5) ? 0 : 2048,
    ...(random.chance(0.2) ? { lifetimeMs: random.between(1, 30) } : {}),
    ...(random.chance(0.2) ? { limit: { packetsPerSecond: 50 } } : {}),
    ...(random.chance(0.1) ? { observe: true } : {}),
  };
}

function pause(random: Random): Promise<void> {
  const ms = random.below(PAUSE_MS_MAX);
  return delay(ms);
}
