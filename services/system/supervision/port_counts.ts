/** What was counted at the ends of ports, over several lives. */

import { addCounts } from "../../../caps/driver/accounts.ts";
import type { PortCounts } from "../../core/ports.ts";

/** Adds both up, end by end. */
export function addPortCounts(
  before: readonly PortCounts[],
  now: readonly PortCounts[],
): readonly PortCounts[] {
  const isSame = (a: PortCounts, b: PortCounts) =>
    a.side === b.side && a.name === b.name;
  const others = before.filter((one) => !now.some((two) => isSame(one, two)));
  return [
    ...others,
    ...now.map((one) => ({
      ...one,
      counters: addCounts([
        before.find((two) => isSame(one, two))?.counters ?? {},
        one.counters,
      ]),
    })),
  ];
}
