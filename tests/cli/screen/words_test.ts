import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  columnsOf,
  fit,
  formatBytes,
  formatCount,
  formatCounts,
  formatElapsed,
  padStart,
} from "../../../cli/screen/text.ts";
import {
  renderChanges,
  renderStart,
  renderSummary,
} from "../../../cli/screen/words.ts";
import { stateOf } from "../../../cli/screen/account.ts";
import { readDuration } from "../../../cli/command/duration.ts";
import { systemSnapshot, wildText } from "../../arbitraries/snapshot.ts";
import { testProperty } from "../../property.ts";
import { snapshotOf } from "../fake_system.ts";

const file = import.meta.url;

testProperty(
  "fit() takes at most its columns, changes nothing that is printable and fits, and keeps a prefix",
  { runs: 300, file },
  fc.property(wildText, fc.nat(50), (text, columns) => {
    const fitted = fit(text, columns);
    ok(columnsOf(fitted) <= columns);
    if (/^\P{C}*$/u.test(text) && columnsOf(text) <= columns) {
      strictEqual(fitted, text.replace(/[\p{Zl}\p{Zp}]/gu, "?"));
    }
    if (columns > 0 && fitted.endsWith("…") && /^[ -~]+$/.test(text)) {
      ok(text.startsWith(fitted.slice(0, -1)));
      strictEqual(columnsOf(fitted), columns);
    }
  }),
);

testProperty(
  "formatCount() keeps every digit, in groups of three",
  { runs: 100, file },
  fc.property(fc.maxSafeNat(), (count) => {
    const text = formatCount(count);
    strictEqual(Number(text.replaceAll(",", "")), count);
    match(text, /^\d{1,3}(,\d{3})*$/);
  }),
);

testProperty(
  "formatBytes() is within half a last digit, and below 1,000 of its unit",
  { runs: 200, file },
  fc.property(fc.oneof(fc.nat(2000), fc.maxSafeNat()), (bytes) => {
    const [, number, unit] = /^([\d.]+) (\w+)$/.exec(formatBytes(bytes))!;
    const scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB"].indexOf(unit!);
    ok(Number(number) < 1000);
    ok(Math.abs(Number(number) * scale - bytes) <= 0.0501 * scale);
  }),
);

testProperty(
  "readDuration() reads what is written in each unit",
  { runs: 100, file },
  fc.property(
    fc.constantFrom(["ms", 1], ["s", 1000], ["m", 60000], ["h", 3600000]),
    fc.integer({ min: 1, max: 500 }),
    ([unit, unitMs], number) => {
      strictEqual(readDuration(`${number}${unit}`), number * Number(unitMs));
    },
  ),
);

Deno.test("readDuration() refuses what is no duration, nothing, and more than a timer takes", () => {
  for (
    const text of [
      "",
      "5",
      "s",
      "-1s",
      "0s",
      "0.1ms",
      "5 s",
      "5sec",
      "1e3s",
      "597h",
      "9".repeat(13) + "ms",
    ]
  ) {
    strictEqual(readDuration(text), undefined, text);
  }
  strictEqual(readDuration("0.5s"), 500);
  strictEqual(readDuration("596h"), 2145600000);
});

Deno.test("formatElapsed() turns from seconds to minutes to hours", () => {
  deepStrictEqual(
    [0, 5000, 59_949, 59_960, 61_000, 3_599_000, 3_723_000].map(formatElapsed),
    [
      "0.0 s",
      "5.0 s",
      "59.9 s",
      "1:00 min",
      "1:01 min",
      "59:59 min",
      "1:02:03 h",
    ],
  );
});

Deno.test("formatCounts() sums the reasons that find no room", () => {
  const counts = { revoked: 2, "no-page": 30, "too-long": 1, none: 0 };
  strictEqual(formatCounts(counts), "no-page 30 · revoked 2 · too-long 1");
  strictEqual(formatCounts(counts, 24), "no-page 30 · 2 more: 3");
  strictEqual(formatCounts(counts, 12), "3 more: 33");
  strictEqual(formatCounts({}), "");
});

Deno.test("padStart() reckons wide characters as two columns", () => {
  strictEqual(padStart("表", 4), "  表");
});

Deno.test("renderStart() names the NIC, the address and the services", () => {
  strictEqual(
    renderStart(snapshotOf(0)),
    "up on emulated (in-memory wire) as 10.77.0.2/24, 02:53:0a:4d:00:02; services: icmp-echo",
  );
});

Deno.test("renderChanges() says what changed, and nothing when nothing did", () => {
  deepStrictEqual(renderChanges(snapshotOf(10), snapshotOf(10)), []);
  deepStrictEqual(renderChanges(snapshotOf(30), snapshotOf(10)), [
    "3.0 s: in +20, out +20; icmp-echo +20",
  ]);
  const [service] = snapshotOf(10).services;
  const failed = snapshotOf(10, {
    services: [{ ...service!, state: "failed", failure: "boom\x1b" }],
  });
  deepStrictEqual(renderChanges(failed, snapshotOf(10)), [
    "1.0 s: icmp-echo failed: boom?",
  ]);
});

testProperty(
  "renderChanges() says by how many packets each reason of drops grew",
  { runs: 100, file },
  fc.property(
    systemSnapshot,
    fc.integer({ min: 1, max: 999 }),
    (before, more) => {
      const [service] = snapshotOf(1).services;
      const withDrops = (count: number) => ({
        ...before,
        services: [{ ...service!, counters: { "drop:some-reason": count } }],
      });
      deepStrictEqual(
        renderChanges(withDrops(more + 5), withDrops(5)).map((line) =>
          line.replace(/^.*?: /, "")
        ),
        [`dropped some-reason +${more}`],
      );
    },
  ),
);

Deno.test("renderSummary() accounts for the services, the drops, the pages and the peer", () => {
  const [service] = snapshotOf(120).services;
  const [capability] = service!.capabilities;
  const snapshot = snapshotOf(120, {
    services: [{
      ...service!,
      capabilities: [{ ...capability!, drops: { "no-page": 3, revoked: 1 } }],
      counters: { echoed: 120, "drop:checksum": 2, "drop:no-page": 1 },
      refusals: { "foreign-page": 2 },
      ports: [
        { side: "ask", name: "sum", peers: ["adder"], counters: { asked: 2 } },
        { side: "answer", name: "pings", peers: [], counters: {} },
      ],
    }],
    peer: {
      "ping-sent": 120,
      "ping-answered": 119,
      "udp-sent": 4,
      "wrong-answer": 1,
    },
  });
  deepStrictEqual(renderSummary(snapshot), [
    "ran 12.0 s on emulated: 123 packets in (11.9 kB), 120 out (11.8 kB)",
    "icmp-echo: 120 packets received, 120 sent, dropped: no-page 4 · checksum 2 · revoked 1, refused: foreign-page 2 (echoed 120)",
    "icmp-echo asks adder at sum: asked 2",
    "icmp-echo answers nobody as pings",
    "unclaimed: 3 packets",
    "pages: 4,096 in all: 4,000 free, 90 lent, 6 in flight, 0 quarantined",
    "peer: 120 pings sent, 119 answered; 4 datagrams sent, 0 answered; wrong-answer 1",
  ]);
});

testProperty(
  "renderSummary() and renderChanges() print nothing that a terminal acts on",
  { runs: 100, file },
  fc.property(systemSnapshot, systemSnapshot, (snapshot, previous) => {
    for (
      const line of [
        renderStart(snapshot),
        ...renderSummary(snapshot),
        ...renderChanges(snapshot, previous),
      ]
    ) match(line, /^\P{C}+$/u);
  }),
);

Deno.test("what runs again is running: why it was away belongs to the line before", () => {
  const failure = "the interface is gone";
  strictEqual(
    stateOf({ state: "running", restarts: 1, failure }),
    "running after 1 restart",
  );
  strictEqual(
    stateOf({ state: "restarting", restarts: 1, failure }),
    "restarting after 1 restart: the interface is gone",
  );
});
