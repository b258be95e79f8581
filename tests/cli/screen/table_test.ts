import { deepStrictEqual, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { renderTable } from "../../../cli/screen/table.ts";
import { columnsOf } from "../../../cli/screen/text.ts";
import { systemSnapshot } from "../../arbitraries/snapshot.ts";
import { testProperty } from "../../property.ts";
import { snapshotOf } from "../fake_system.ts";

const file = import.meta.url;
const ROOMY = { columns: 80, rows: 1000 };

testProperty(
  "renderTable() is never wider nor higher than the room, and prints nothing that a terminal acts on",
  { runs: 300, file },
  fc.property(
    systemSnapshot,
    fc.option(systemSnapshot, { nil: undefined }),
    fc.record({ columns: fc.nat(200), rows: fc.nat(60) }),
    (snapshot, previous, room) => {
      const lines = renderTable(snapshot, previous, room);
      ok(lines.length <= room.rows, `${lines.length} rows`);
      for (const { text } of lines) {
        ok(columnsOf(text) <= room.columns, `${columnsOf(text)}: ${text}`);
        match(text, /^\P{C}*$/u);
      }
    },
  ),
);

testProperty(
  "renderTable() shows or sums every reason for which a capability dropped packets",
  { runs: 200, file },
  fc.property(
    systemSnapshot,
    fc.integer({ min: 40, max: 120 }),
    (snapshot, columns) => {
      const lines = renderTable(snapshot, undefined, { columns, rows: 1000 });
      const shown = lines.filter(({ text }) => text.startsWith("    drops: "))
        .map(({ text }) => total(text.slice("    drops: ".length)));
      const dropped = snapshot.services
        .flatMap(({ capabilities }) => capabilities)
        .map(({ drops }) => ({
          reasons: Object.values(drops).filter((count) => count > 0).length,
          packets: Object.values(drops).reduce((sum, count) => sum + count, 0),
        }))
        .filter(({ packets }) => packets > 0);
      deepStrictEqual(shown, dropped);
    },
  ),
);

/** Reads `no-page 3 · revoked 2 · 4 more: 17` back. */
function total(text: string): { reasons: number; packets: number } {
  const items = text.split(" · ").map((item) => {
    const [, more, count] = /^(?:(\d+) more: |[a-z:-]+ )([\d,]+)$/.exec(item)!;
    return {
      reasons: more === undefined ? 1 : Number(more),
      packets: Number(count!.replaceAll(",", "")),
    };
  });
  return {
    reasons: items.reduce((sum, { reasons }) => sum + reasons, 0),
    packets: items.reduce((sum, { packets }) => sum + packets, 0),
  };
}

Deno.test("renderTable() shows the NIC, the pages, the services with their capabilities, and the rates", () => {
  const lines = renderTable(snapshotOf(20), snapshotOf(10), ROOMY);
  deepStrictEqual(lines.map(({ text }) => text), [
    "sallyport · emulated · in-memory wire · up 2.0 s",
    "address 10.77.0.2/24 · 02:53:0a:4d:00:02",
    "in 23 · 2.1 kB · 10/s   out 20 · 2.0 kB · 10/s",
    "pages: 4,000 free · 90 lent · 6 in flight · 0 quarantined",
    "unclaimed: 3 · dropped: 0",
    "",
    "SERVICE        PAGES  IN  IN/s   BYTES  OUT  OUT/s   BYTES  DROPS",
    "icmp-echo · in a worker · running",
    "  icmp-echo#1   2/64  20    10  2.0 kB   20     10  2.0 kB      0",
    "    icmp echo request and dst host 10.77.0.2",
    "    core: echoed 20",
    "",
    "peer: ping-answered 20 · ping-sent 20",
  ]);
});

Deno.test("renderTable() gives up bytes, then rates, then pages, then drops where there is no room, never packets", () => {
  const titles = [80, 60, 45, 33, 24].map((columns) =>
    renderTable(snapshotOf(20), undefined, { columns, rows: 40 })
      .find(({ text }) => text.startsWith("SERVICE"))!.text.split(/\s+/)
  );
  deepStrictEqual(titles, [
    [
      "SERVICE",
      "PAGES",
      "IN",
      "IN/s",
      "BYTES",
      "OUT",
      "OUT/s",
      "BYTES",
      "DROPS",
    ],
    ["SERVICE", "PAGES", "IN", "IN/s", "OUT", "OUT/s", "DROPS"],
    ["SERVICE", "PAGES", "IN", "OUT", "DROPS"],
    ["SERVICE", "IN", "OUT", "DROPS"],
    ["SERVICE", "IN", "OUT"],
  ]);
});

Deno.test("renderTable() says how many lines it left out, and why a service failed", () => {
  const [service] = snapshotOf(1).services;
  const failed = snapshotOf(1, {
    services: [{
      ...service!,
      state: "failed",
      failure: "it threw\n\x1b[31mboom",
      counters: { "drop:checksum": 4 },
      refusals: { "foreign-page": 2 },
    }],
  });
  const texts = renderTable(failed, undefined, ROOMY).map(({ text }) => text);
  ok(
    texts.includes("icmp-echo · in a worker · failed: it threw??[31mboom"),
    texts.join("\n"),
  );
  ok(texts.includes("    core drops: checksum 4"));
  ok(texts.includes("    refused: foreign-page 2"));
  ok(texts.includes("unclaimed: 3 · dropped: 4"));
  const few = renderTable(failed, undefined, { columns: 80, rows: 5 });
  deepStrictEqual(few.at(-1)!.text, `… ${texts.length - 4} more lines`);
});
