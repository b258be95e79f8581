/** A running system in words: what changed, and the summary at its end. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type {
  ServiceSnapshot,
  SystemSnapshot,
} from "../../services/system/snapshot.ts";
import {
  accountOf,
  countsSince,
  dropsOf,
  type Fallible,
  portWords,
  stateOf,
} from "./account.ts";
import {
  formatBytes,
  formatCount,
  formatCounts,
  formatElapsed,
  printable,
  sumOf,
} from "./text.ts";

/** One line that says what came up: NIC, address, services. */
export function renderStart(snapshot: SystemSnapshot): string {
  const { nic } = snapshot;
  const services = snapshot.services.map(({ name }) => name).join(", ");
  return printable(
    `up on ${nic.name} (${nic.mode}) as ${nic.address}, ${nic.mac}; services: ${services}`,
  );
}

/**
 * What changed since `previous`, in at most one line for the traffic and one
 * for each service, and the driver, whose state changed; none when nothing did.
 */
export function renderChanges(
  snapshot: SystemSnapshot,
  previous: SystemSnapshot,
): string[] {
  const at = formatElapsed(snapshot.uptimeMs);
  const before = new Map(previous.services.map((each) => [each.name, each]));
  const lines = snapshot.services
    .filter((service) => isNews(service, before.get(service.name)))
    .map((service) => `${at}: ${service.name} ${stateOf(service)}`);
  if (isNews(snapshot.nic, previous.nic)) {
    lines.unshift(`${at}: driver ${stateOf(snapshot.nic)}`);
  }
  const counts = [
    changed("", trafficOf(snapshot), trafficOf(previous)),
    changed("", packetsOf(snapshot), packetsOf(previous)),
    changed("dropped ", dropsOf(snapshot), dropsOf(previous)),
    changed("refused ", refusalsOf(snapshot), refusalsOf(previous)),
    changed("nic ", snapshot.nic.counters, previous.nic.counters),
  ].filter((part) => part !== "");
  if (counts.length > 0) lines.push(`${at}: ${counts.join("; ")}`);
  return lines.map(printable);
}

/** Whether something else can be said of it than before. */
function isNews(now: Fallible, before: Fallible | undefined): boolean {
  return now.state !== before?.state || now.restarts !== before.restarts;
}

function changed(title: string, now: Counts, before: Counts): string {
  const parts = Object.entries(countsSince(now, before))
    .filter(([, difference]) => difference !== 0)
    .map(([name, difference]) =>
      `${name} ${difference < 0 ? "-" : "+"}${
        formatCount(Math.abs(difference))
      }`
    );
  return parts.length === 0 ? "" : title + parts.join(", ");
}

function trafficOf({ nic, unclaimedPackets }: SystemSnapshot): Counts {
  return {
    in: nic.receivedPackets,
    out: nic.sentPackets,
    unclaimed: unclaimedPackets,
  };
}

function packetsOf(snapshot: SystemSnapshot): Counts {
  return Object.fromEntries(
    snapshot.services.map((
      service,
    ) => [service.name, accountOf(service).receivedPackets]),
  );
}

function refusalsOf(snapshot: SystemSnapshot): Counts {
  return Object.fromEntries(
    snapshot.services.flatMap(({ name, refusals }) =>
      Object.entries(refusals).map(([why, count]) => [`${name} ${why}`, count])
    ),
  );
}

/** The summary at the end: every packet accounted for, exact counts, in words. */
export function renderSummary(snapshot: SystemSnapshot): string[] {
  const { nic, pages } = snapshot;
  const lines = [
    `ran ${formatElapsed(snapshot.uptimeMs)} on ${nic.name}: ${
      packets(nic.receivedPackets)
    } in (${formatBytes(nic.receivedBytes)}), ${
      formatCount(nic.sentPackets)
    } out (${formatBytes(nic.sentBytes)})`,
    ...(nic.restarts === 0 ? [] : [`driver ${stateOf(nic)}`]),
    ...snapshot.services.flatMap(summarizeService),
  ];
  if (snapshot.unclaimedPackets > 0) {
    lines.push(`unclaimed: ${packets(snapshot.unclaimedPackets)}`);
  }
  if (sumOf(nic.counters) > 0) lines.push(`nic: ${formatCounts(nic.counters)}`);
  lines.push(
    `pages: ${formatCount(pages.total)} in all: ${
      formatCount(pages.free)
    } free, ${formatCount(pages.lent)} lent, ${
      formatCount(pages.inFlight)
    } in flight, ${formatCount(pages.quarantined)} quarantined`,
  );
  if (snapshot.peer !== undefined) lines.push(summarizePeer(snapshot.peer));
  return lines.map(printable);
}

function packets(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "packet" : "packets"}`;
}

function summarizeService(service: ServiceSnapshot): string[] {
  const account = accountOf(service);
  const parts = [
    `${packets(account.receivedPackets)} received`,
    `${formatCount(account.sentPackets)} sent`,
  ];
  const { counters, drops } = account;
  const failed = service.state === "failed" || service.restarts > 0
    ? [`${service.name} ${stateOf(service)}`]
    : [];
  const counted = sumOf(counters) > 0 ? ` (${formatCounts(counters)})` : "";
  if (sumOf(drops) > 0) parts.push(`dropped: ${formatCounts(drops)}`);
  if (sumOf(service.refusals) > 0) {
    parts.push(`refused: ${formatCounts(service.refusals)}`);
  }
  const ports = (service.ports ?? []).map((port) => {
    const counted = formatCounts(port.counters);
    const colon = counted === "" ? "" : ": ";
    return `${service.name} ${portWords(port)}${colon}${counted}`;
  });
  return [
    ...failed,
    `${service.name}: ${parts.join(", ")}${counted}`,
    ...ports,
  ];
}

/** What a peer asks, and what it counts answers under. */
const PEER_QUESTIONS = [
  { noun: "ARP request", sent: "arp-sent", answered: "arp-resolved" },
  { noun: "ping", sent: "ping-sent", answered: "ping-answered" },
  { noun: "datagram", sent: "udp-sent", answered: "udp-answered" },
] as const;

/** `peer: 120 pings sent, 120 answered; 9 datagrams sent, 9 answered; noise-sent 3`. */
function summarizePeer(peer: Counts): string {
  const others: Record<string, number> = { ...peer };
  const parts: string[] = [];
  for (const { noun, sent, answered } of PEER_QUESTIONS) {
    if (peer[sent] === undefined) continue;
    parts.push(
      `${formatCount(peer[sent])} ${noun}${peer[sent] === 1 ? "" : "s"} sent, ${
        formatCount(peer[answered] ?? 0)
      } answered`,
    );
    delete others[sent];
    delete others[answered];
  }
  if (sumOf(others) > 0) parts.push(formatCounts(others));
  return `peer: ${parts.length === 0 ? "nothing yet" : parts.join("; ")}`;
}
