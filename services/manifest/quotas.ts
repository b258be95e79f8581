/** The pages that services may hold: by default, as many as they need, and no more than can be lent. */

import { lendableFrames } from "../../caps/memory/memory.ts";
import type { Protocol } from "../core/protocol.ts";
import type { Complain } from "./error.ts";
import type { NicKind } from "./nic/kind.ts";
import type { ServiceManifest, ServiceWithoutQuota } from "./service.ts";

/** Pages of a service that says nothing of them, and needs no more. */
const QUOTA_PAGES_DEFAULT = 64;

/** What decides which pages a service needs. */
interface Needs {
  readonly cores: readonly Protocol[];
  readonly nic: NicKind;
}

function pagesNeeded(
  service: ServiceWithoutQuota,
  { cores, nic: { superPackets = false } }: Needs,
): number {
  const core = cores.find(({ name }) => name === service.core);
  return core?.pagesNeeded?.(service, { superPackets }) ?? 1;
}

/** Gives each of `services` a quota: its own, or the default. */
export function fillQuotas(
  services: Readonly<Record<string, ServiceWithoutQuota>>,
  needs: Needs,
): Record<string, ServiceManifest> {
  const filled = Object.entries(services).map(([name, service]) => {
    const { quotaPages } = service;
    const least = Math.max(QUOTA_PAGES_DEFAULT, pagesNeeded(service, needs));
    return [name, { ...service, quotaPages: quotaPages ?? least }] as const;
  });
  return Object.fromEntries(filled);
}

/** Complains of quotas that are less than a service needs, or come to more than can be lent. */
export function checkQuotas(
  manifest: {
    readonly frames: number;
    readonly services: Readonly<Record<string, ServiceManifest>>;
  },
  needs: Needs,
  complain: Complain,
): void {
  let asked = 0;
  for (const [name, service] of Object.entries(manifest.services)) {
    const { quotaPages } = service;
    const needed = pagesNeeded(service, needs);
    asked += quotaPages;
    if (quotaPages >= needed) continue;
    complain(
      ["services", name, "quotaPages"],
      `expected at least ${needed}, the pages that its settings need on this NIC, got ${quotaPages}`,
    );
  }
  const lendable = lendableFrames(manifest.frames);
  if (asked <= lendable) return;
  complain(
    ["services"],
    `expected quotas of at most ${lendable} pages in all (three quarters of ${manifest.frames} frames), got ${asked}`,
  );
}
