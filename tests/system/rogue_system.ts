/** A system with a service that goes wrong or means ill. */

import { given } from "../../caps/kernel/given.ts";
import { delay } from "@std/async/delay";
import type { Counts } from "../../caps/driver/accounts.ts";
import assert from "node:assert/strict";
import {
  defaultManifest,
  type ServiceHoldingInput,
} from "../../services/manifest/manifest.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { PARTS } from "../../services/system/boot.ts";
import type { Restart } from "../../services/system/system.ts";
import type { Parts } from "../../services/system/parts.ts";
import { TIME_LIMITS } from "../../services/system/time_limits.ts";
import { RunningSystem } from "../../services/system/running.ts";

export const ROGUE = "udp-echo";

/** Pings that must be answered after the rogue has done its worst. */
export const PINGS_AFTER = 30;

/** Questions that may be under way, unanswered, when a run ends. */
const UNDER_WAY = 8;

/** The usual parts, with a UDP echo service that behaves like this. */
function partsWith(behaviour: string): Parts {
  const worker = new URL(`./rogue_worker.ts?${behaviour}`, import.meta.url);
  const rogue = { ...PARTS.services[ROGUE]!, worker };
  const watches = new URL("./rogue_worker.ts?watches", import.meta.url);
  const watcher = { ...PARTS.services["icmp-echo"]!, worker: watches };
  return {
    ...PARTS,
    // Sooner than usual, and still enough on a machine that is busy.
    timeLimits: { ...TIME_LIMITS, heartbeatMs: 200, answerMsMax: 2500 },
    services: { ...PARTS.services, "icmp-echo": watcher, [ROGUE]: rogue },
  };
}

/** A system with a rogue in it, and what was told of services that failed. */
export class RogueSystem {
  readonly told: string[] = [];
  readonly restarts: Restart[] = [];
  readonly system: RunningSystem;
  readonly #failed = Promise.withResolvers<void>();

  constructor(
    behaviour: string,
    manifest: ServiceHoldingInput & {
      readonly frames?: number;
      readonly extents?: number;
    } = {},
  ) {
    const { frames = 4096, extents, ...changes } = manifest;
    this.system = new RunningSystem(
      // Each packet in a page: a rogue can keep them.
      defaultManifest({
        frames,
        ...given({ extents }),
        services: {
          arp: { core: "arp" },
          "icmp-echo": { core: "icmp-echo", watch: [ROGUE] },
          [ROGUE]: {
            core: "udp-echo",
            copyBytesMax: 0,
            restart: "never",
            ...changes,
          },
        },
      }),
      partsWith(behaviour),
      {
        confined: true,
        onRestart: (restart) => this.restarts.push(restart),
        onServiceFailed: (name, failure) => {
          this.told.push(`${name}: ${failure}`);
          this.#failed.resolve();
        },
      },
    );
  }

  /** Resolves when a service has failed. */
  get failed(): Promise<void> {
    return this.#failed.promise;
  }

  /** Goes on until `enough` says so of a snapshot. */
  async until(enough: (snapshot: SystemSnapshot) => boolean): Promise<void> {
    while (!enough(await this.system.snapshot())) {
      await delay(20);
    }
  }

  /** Goes on until so many more pings were answered. */
  async pings(count: number): Promise<void> {
    const answered = ({ peer }: SystemSnapshot) => peer!["ping-answered"] ?? 0;
    const before = answered(await this.system.snapshot());
    await this.until((snapshot) => answered(snapshot) >= before + count);
  }

  /** Stops it, once all but a few of the pings until now are answered: on a busy machine that may take a while. */
  async stop(): Promise<SystemSnapshot> {
    await this.until(({ peer }) => unanswered(peer!) <= UNDER_WAY);
    const last = await this.system.stop();
    checkOthers(last);
    return last;
  }
}

/** Pings that are not answered, or not yet. */
function unanswered(peer: Counts): number {
  return (peer["ping-sent"] ?? 0) - (peer["ping-answered"] ?? 0);
}

/** All that was asked of the others is answered, and no page is lost. */
function checkOthers({ peer, services, pages }: SystemSnapshot): void {
  const lost = unanswered(peer!);
  const sent = peer!["ping-sent"]!;
  assert.ok(lost <= 4 * UNDER_WAY, `${lost} of ${sent} pings unanswered`);
  assert.equal(peer!["wrong-answers"] ?? 0, 0);
  for (const service of services.filter(({ name }) => name !== ROGUE)) {
    assert.equal(service.state, "running", service.name);
    assert.deepEqual(service.refusals, {}, service.name);
    for (const { drops } of service.capabilities) assert.deepEqual(drops, {});
  }
  const { total, free, lent, inFlight, quarantined } = pages;
  assert.equal(free + lent + inFlight + quarantined, total);
}

/** The rogue, as a snapshot shows it. */
export function rogueIn(
  { services }: SystemSnapshot,
): SystemSnapshot["services"][0] {
  return services.find(({ name }) => name === ROGUE)!;
}
