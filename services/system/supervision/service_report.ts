/** What a service says of itself, checked: its messages are as little believed as its packets. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import { COUNTS_MAX, NAME_LENGTH_MAX } from "../../core/plain.ts";
import type { ServiceReport } from "../../core/messages.ts";
import { type PortCounts, PORTS_MAX } from "../../core/ports.ts";
import { INTERFACE_TEXT_MAX, PORT_NAME } from "../../ports/interface.ts";
import { oneLine } from "../one_line.ts";

/** The report in a message, fit to be shown; undefined when there is none. */
export function readServiceReport(message: unknown): ServiceReport | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { kind } = message as Partial<ServiceReport>;
  if (kind === "running") return readRunning(message);
  if (kind === "failed") {
    return {
      kind,
      message: oneLine((message as { message?: unknown }).message),
    };
  }
  if (kind !== "counters") return undefined;
  const { id, counters, memoryBytes = 0, ports = [] } = message as {
    id?: unknown;
    counters?: unknown;
    memoryBytes?: unknown;
    ports?: unknown;
  };
  const counts = readCounts(counters);
  const portCounts = readPortCounts(ports);
  if (
    typeof id !== "number" || typeof memoryBytes !== "number" ||
    counts === undefined || portCounts === undefined
  ) return undefined;
  return { kind, id, counters: counts, ports: portCounts, memoryBytes };
}

function readRunning(message: object): ServiceReport | undefined {
  const kind = "running";
  if (!("ports" in message)) return { kind };
  const { asks, answers } = (message.ports ?? {}) as Record<string, unknown>;
  const ports = { asks: readTexts(asks), answers: readTexts(answers) };
  return ports.asks === undefined || ports.answers === undefined
    ? undefined
    : { kind, ports: { asks: ports.asks, answers: ports.answers } };
}

/** The texts of interfaces, by name. */
function readTexts(value: unknown): Record<string, string> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value);
  const sound = entries.length <= PORTS_MAX &&
    entries.every(([name, text]) =>
      PORT_NAME.test(name) && typeof text === "string" &&
      text.length <= INTERFACE_TEXT_MAX
    );
  return sound ? Object.fromEntries(entries) : undefined;
}

function readPortCounts(value: unknown): PortCounts[] | undefined {
  if (!Array.isArray(value) || value.length > 2 * PORTS_MAX) return undefined;
  const all: PortCounts[] = [];
  for (const one of value) {
    const { side, name, counters } = (one ?? {}) as Record<string, unknown>;
    const counts = readCounts(counters);
    if (
      side !== "ask" && side !== "answer" || typeof name !== "string" ||
      !PORT_NAME.test(name) || counts === undefined
    ) return undefined;
    all.push({ side, name, counters: counts });
  }
  return all;
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
