/** What a service says of itself, checked: its messages are as little believed as its packets. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import { COUNTS_MAX, NAME_LENGTH_MAX } from "../../core/plain.ts";
import type { ServiceReport } from "../../core/messages.ts";
import { oneLine } from "../one_line.ts";

/** The report in a message, fit to be shown; undefined when there is none. */
export function readServiceReport(message: unknown): ServiceReport | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { kind } = message as Partial<ServiceReport>;
  if (kind === "running") return { kind };
  if (kind === "failed") {
    return {
      kind,
      message: oneLine((message as { message?: unknown }).message),
    };
  }
  if (kind !== "counters") return undefined;
  const { id, counters, memoryBytes = 0 } = message as {
    id?: unknown;
    counters?: unknown;
    memoryBytes?: unknown;
  };
  const counts = readCounts(counters);
  if (
    typeof id !== "number" || typeof memoryBytes !== "number" ||
    counts === undefined
  ) return undefined;
  return { kind, id, counters: counts, memoryBytes };
}

function readCounts(value: unknown): Counts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value);
  const sound = entries.length <= COUNTS_MAX &&
    entries.every(([name, count]) =>
      name.length <= NAME_LENGTH_MAX && Number.isSafeInteger(count) &&
      count >= 0
    );
  return sound ? Object.fromEntries(entries) : undefined;
}
