/** How many packets came to a NIC and were not taken. */

import type { SystemSnapshot } from "../../services/system/snapshot.ts";

/** The counters of NICs for packets that came and went no further: there was no room for them, or none that was large enough. */
const LOST_AT_NIC: readonly string[] = [
  "rx-ring-full",
  "rx-dropped",
  "rx-too-long",
  "rx-too-large",
  "rx-oversize",
  "no-socket",
];

/** Packets that were lost, with the NIC's own counters of them where it lost some itself. */
export interface Missed {
  readonly packets: number;
  readonly atNic: Readonly<Record<string, number>>;
}

/** What a capture that has seen `seen` packets has missed of those that came. */
export function missedOf(
  { nic, unclaimedPackets }: Pick<SystemSnapshot, "unclaimedPackets"> & {
    readonly nic: Pick<SystemSnapshot["nic"], "receivedPackets" | "counters">;
  },
  seen: number,
): Missed {
  const lost = LOST_AT_NIC.flatMap((name) => {
    const count = Object.hasOwn(nic.counters, name) ? nic.counters[name]! : 0;
    return count > 0 ? [[name, count] as const] : [];
  });
  const atNic = Object.fromEntries(lost);
  return {
    packets: lost.reduce(
      (sum, [, count]) => sum + count,
      nic.receivedPackets - unclaimedPackets - seen,
    ),
    atNic,
  };
}

/** Says what was missed; undefined for nothing. */
export function describeMissed({ packets, atNic }: Missed): string | undefined {
  if (packets <= 0) return undefined;
  const lost = Object.entries(atNic).map(([name, count]) => `${name} ${count}`);
  const where = lost.length === 0 ? "" : ` (at the NIC: ${lost.join(", ")})`;
  return `${packets} packet${packets === 1 ? "" : "s"} came and ${
    packets === 1 ? "was" : "were"
  } not taken${where}`;
}
