/** The live table of a running system: a snapshot as lines of text. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type {
  CapabilitySnapshot,
  ServiceSnapshot,
  SystemSnapshot,
} from "../../services/system/snapshot.ts";
import {
  accountOf,
  dropsOf,
  placeWords,
  portWords,
  stateOf,
} from "./account.ts";
import {
  columnsOf,
  fit,
  formatBytes,
  formatCount,
  formatCounts,
  formatElapsed,
  formatRate,
  padEnd,
  padStart,
  printable,
  sumOf,
} from "./text.ts";

/** How a line is to look. */
export type Tone = "plain" | "strong" | "faint" | "good" | "bad";

/** One line of the table. */
export interface Line {
  /** Printable, and no wider than the terminal. */
  readonly text: string;
  /** How it is to look. */
  readonly tone: Tone;
}

/** The room that there is: columns, and lines. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Renders `snapshot`; rates are reckoned since `previous`. No line is wider
 * than `room.columns`, and there are at most `room.rows` lines.
 */
export function renderTable(
  snapshot: SystemSnapshot,
  previous: SystemSnapshot | undefined,
  room: Room,
): Line[] {
  const { columns } = room;
  const lines = [
    ...renderHead(snapshot, previous, columns),
    line("", columns),
    ...renderServices(snapshot, previous, columns),
  ];
  if (snapshot.peer !== undefined) {
    lines.push(line("", columns));
    lines.push(countsLine("peer: ", snapshot.peer, columns));
  }
  if (lines.length <= room.rows) return lines;
  const kept = lines.slice(0, Math.max(0, room.rows - 1));
  const hidden = lines.length - kept.length;
  const more = line(`… ${hidden} more lines`, columns, "faint");
  return [...kept, more].slice(0, Math.max(0, room.rows));
}

function line(text: string, columns: number, tone: Tone = "plain"): Line {
  return { text: fit(text, columns), tone };
}

function countsLine(
  title: string,
  counts: Counts,
  columns: number,
  tone: Tone = "plain",
): Line {
  const words = formatCounts(counts, columns - columnsOf(title));
  return line(title + (words === "" ? "nothing yet" : words), columns, tone);
}

function renderHead(
  snapshot: SystemSnapshot,
  previous: SystemSnapshot | undefined,
  columns: number,
): Line[] {
  const { nic, pages } = snapshot;
  const elapsedMs = snapshot.uptimeMs - (previous?.uptimeMs ?? 0);
  const traffic = (
    way: string,
    packets: number,
    bytes: number,
    packetsBefore: number | undefined,
  ) => {
    const rate = rateOf(packets, packetsBefore, elapsedMs);
    const rateText = rate === undefined ? "" : ` · ${rate}/s`;
    return `${way} ${formatCount(packets)} · ${formatBytes(bytes)}${rateText}`;
  };
  const before = previous?.nic;
  const drops = dropsOf(snapshot);
  const lines = [
    line(
      `sallyport · ${nic.name} · ${nic.mode} · up ${
        formatElapsed(snapshot.uptimeMs)
      }${nic.ended ? " · ended" : ""}`,
      columns,
      "strong",
    ),
    ...(nic.restarts === 0 && nic.state === "running"
      ? []
      : [line(`driver ${stateOf(nic)}`, columns, "bad")]),
    line(`address ${nic.address} · ${nic.mac}`, columns),
    line(
      `${
        traffic(
          "in",
          nic.receivedPackets,
          nic.receivedBytes,
          before?.receivedPackets,
        )
      }   ${
        traffic("out", nic.sentPackets, nic.sentBytes, before?.sentPackets)
      }`,
      columns,
    ),
  ];
  if (sumOf(nic.counters) > 0) {
    lines.push(countsLine("nic: ", nic.counters, columns));
  }
  lines.push(line(
    `pages: ${formatCount(pages.free)} free · ${
      formatCount(pages.lent)
    } lent · ${formatCount(pages.inFlight)} in flight · ${
      formatCount(pages.quarantined)
    } quarantined`,
    columns,
  ));
  const dropped = sumOf(drops);
  lines.push(line(
    `unclaimed: ${formatCount(snapshot.unclaimedPackets)} · dropped: ${
      formatCount(dropped)
    }`,
    columns,
    dropped > 0 ? "bad" : "plain",
  ));
  return lines;
}

function rateOf(
  count: number,
  before: number | undefined,
  elapsedMs: number,
): string | undefined {
  if (before === undefined || elapsedMs <= 0) return undefined;
  return formatRate(Math.max(0, count - before) * 1000 / elapsedMs);
}

interface Column {
  readonly title: string;
  /** The columns with the highest number go first where there is no room. */
  readonly expendable: number;
  cell(
    now: CapabilitySnapshot,
    before: CapabilitySnapshot | undefined,
    elapsedMs: number,
  ): string;
}

const COLUMNS: readonly Column[] = [
  {
    title: "PAGES",
    expendable: 2,
    cell: (now) => `${now.heldPages}/${now.quotaPages}`,
  },
  {
    title: "IN",
    expendable: 0,
    cell: (now) => formatCount(now.deliveredPackets),
  },
  {
    title: "IN/s",
    expendable: 3,
    cell: (now, before, elapsedMs) =>
      rateOf(now.deliveredPackets, before?.deliveredPackets, elapsedMs) ?? "-",
  },
  {
    title: "BYTES",
    expendable: 4,
    cell: (now) => formatBytes(now.deliveredBytes),
  },
  { title: "OUT", expendable: 0, cell: (now) => formatCount(now.sentPackets) },
  {
    title: "OUT/s",
    expendable: 3,
    cell: (now, before, elapsedMs) =>
      rateOf(now.sentPackets, before?.sentPackets, elapsedMs) ?? "-",
  },
  { title: "BYTES", expendable: 4, cell: (now) => formatBytes(now.sentBytes) },
  {
    title: "DROPS",
    expendable: 1,
    cell: (now) => formatCount(sumOf(now.drops)),
  },
];

const GAP = "  ";

function renderServices(
  snapshot: SystemSnapshot,
  previous: SystemSnapshot | undefined,
  columns: number,
): Line[] {
  const before = new Map(
    previous?.services.flatMap(({ capabilities }) => capabilities)
      .map((capability) => [capability.label, capability]),
  );
  const elapsedMs = snapshot.uptimeMs - (previous?.uptimeMs ?? 0);
  const all = snapshot.services.flatMap(({ capabilities }) => capabilities);
  const labels = all.map(({ label }) => columnsOf(printable(label)));
  const first = Math.max(10, ...labels) + GAP.length;
  const table = COLUMNS.map((column) => {
    const cells = all.map((capability) =>
      column.cell(capability, before.get(capability.label), elapsedMs)
    );
    const width = Math.max(...[column.title, ...cells].map(columnsOf));
    return { column, width, cells };
  });
  const kept = fittingColumns(table, columns - first);
  const row = (label: string, cells: readonly string[]) =>
    padEnd(fit(label, first), first) +
    kept.map(({ width }, index) => GAP + padStart(cells[index]!, width))
      .join("");
  const rows = new Map(all.map((capability, index) => [
    capability,
    row(GAP + capability.label, kept.map(({ cells }) => cells[index]!)),
  ]));
  const titles = row("SERVICE", kept.map(({ column }) => column.title));
  return [
    line(titles, columns, "faint"),
    ...snapshot.services.flatMap((service) =>
      renderService(service, rows, columns)
    ),
  ];
}

function fittingColumns<
  T extends { readonly column: Column; readonly width: number },
>(
  table: readonly T[],
  columns: number,
): readonly T[] {
  let limit = Math.max(...table.map(({ column }) => column.expendable));
  for (; limit > 0; limit--) {
    const kept = table.filter(({ column }) => column.expendable <= limit);
    const taken = kept.reduce((sum, { width }) => sum + GAP.length + width, 0);
    if (taken <= columns) return kept;
  }
  return table.filter(({ column }) => column.expendable === 0);
}

function renderService(
  service: ServiceSnapshot,
  rows: ReadonlyMap<CapabilitySnapshot, string>,
  columns: number,
): Line[] {
  const tone = service.state === "failed" || service.state === "restarting"
    ? "bad"
    : service.state === "running"
    ? "good"
    : "faint";
  const lines = [
    line(
      `${service.name} · ${placeWords(service)} · ${stateOf(service)}`,
      columns,
      tone,
    ),
  ];
  for (const capability of service.capabilities) {
    lines.push(line(rows.get(capability)!, columns));
    lines.push(line(`    ${capability.filter}`, columns, "faint"));
    if (sumOf(capability.drops) > 0) {
      lines.push(countsLine("    drops: ", capability.drops, columns, "bad"));
    }
  }
  const { counters, coreDrops } = accountOf(service);
  if (sumOf(counters) > 0) {
    lines.push(countsLine("    core: ", counters, columns));
  }
  if (sumOf(coreDrops) > 0) {
    lines.push(countsLine("    core drops: ", coreDrops, columns, "bad"));
  }
  for (const port of service.ports ?? []) {
    lines.push(countsLine(`    ${portWords(port)}: `, port.counters, columns));
  }
  for (const { name, counters } of service.interposers ?? []) {
    lines.push(countsLine(`    interposed ${name}: `, counters, columns));
  }
  if (sumOf(service.refusals) > 0) {
    lines.push(countsLine("    refused: ", service.refusals, columns, "bad"));
  }
  return lines;
}
