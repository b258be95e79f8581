/** Each benchmark runs to its end, a little of it: its pieces fit and agree. */

import assert from "node:assert/strict";
import { FLOW_COUNTS } from "../../bench/classify/flow_cases.ts";
import { MIXES, TEXTS } from "../../bench/classify/texts.ts";
import { BEHAVIOURS } from "../../bench/hostile/system.ts";
import { GROWTH_COUNTS } from "../../bench/growth.ts";
import { testWith } from "../needs.ts";

interface JsonRow {
  readonly bench: string;
  readonly case: string;
  readonly ours: number | null;
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly unit: string;
  readonly note?: string;
}

/** What `bench NAME --quick --json` prints. */
async function quick(name: string): Promise<JsonRow[]> {
  const main = new URL("../../bench/main.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, name, "--quick", "--json"],
  });
  const { success, stdout, stderr } = await command.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Every figure is there, or a note says why not. */
function checkRows(name: string, rows: readonly JsonRow[]): void {
  assert.ok(rows.length > 0);
  for (const row of rows) {
    assert.equal(row.bench, name);
    assert.ok(row.case.length > 0 && row.unit.length > 0);
    if (row.note !== undefined) {
      assert.equal(row.ratio, null);
      continue;
    }
    assert.ok(row.ours! > 0 && row.reference! > 0, row.case);
    assert.ok(Math.abs(row.ratio! - row.ours! / row.reference!) < 1e-9);
  }
}

testWith(
  ["compiler", "library:libpcap.so.0.8"],
  "classify: Wasm, C and libpcap agree, and each is timed for every text and number of flows",
  async () => {
    const rows = await quick("classify");
    checkRows("classify", rows);
    const inMemory = rows.filter((row) => row.unit === "ns/packet");
    const pairs = TEXTS.length * MIXES.length + FLOW_COUNTS.length + 2;
    assert.equal(inMemory.length, 2 * pairs);
    assert.ok(inMemory.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux", "root", "tool:ip"],
  "classify: the kernel's programs tag every packet, and are timed beside one that redirects all",
  async () => {
    const rows = await quick("classify");
    const inKernel = rows.filter((row) => row.unit === "packets/s");
    checkRows("classify", inKernel);
    assert.equal(inKernel.length, 2);
    assert.ok(inKernel.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux", "root", "compiler", "tool:ip"],
  "receive: our driver and every reference get the sender's packets",
  async () => {
    const rows = await quick("receive");
    checkRows("receive", rows);
    const missing = rows.filter((row) => row.note !== undefined);
    assert.ok(missing.every((row) => row.note === "no Node here"));
  },
);

testWith(
  ["linux", "root", "compiler", "tool:ip"],
  "latency: every datagram comes back from our system and from every reference, and each is timed",
  async () => {
    const rows = await quick("latency");
    checkRows("latency", rows);
    assert.equal(rows.length, (2 * 9 + 1) * 4);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux", "root", "compiler", "tool:ip"],
  "tap: a TCP stream comes to its last byte into a confined worker and a process, out of a worker, and through a forwarder, ours and C's",
  async () => {
    const rows = await quick("tap");
    checkRows("tap", rows);
    assert.equal(rows.length, 16);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux"],
  "deliver: every packet reaches the confined worker and comes back",
  async () => {
    const rows = await quick("deliver");
    checkRows("deliver", rows);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux", "compiler"],
  "forward: every packet leaves by the other NIC with its new addresses, ours and C's",
  async () => {
    const rows = await quick("forward");
    checkRows("forward", rows);
    assert.equal(rows.length, 4);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

Deno.test("install: one more flow and one more shape are installed and taken away, and each is timed", async () => {
  const rows = await quick("install");
  checkRows("install", rows);
  const inWasm = rows.filter((row) => row.case.includes("in Wasm"));
  assert.equal(inWasm.length, 2 * 3);
  assert.ok(inWasm.every((row) => row.note === undefined));
});

Deno.test("caps: capabilities are derived, delegated, revoked and checked, and each is timed", async () => {
  const rows = await quick("caps");
  checkRows("caps", rows);
  assert.equal(rows.length, 5);
  const linux = Deno.build.os === "linux";
  assert.ok(rows.every((row) => row.note === undefined || !linux));
});

Deno.test("hostile: each behaviour is run, and what the others are delivered is measured", async () => {
  const rows = await quick("hostile");
  checkRows("hostile", rows);
  assert.equal(rows.length, 3 * (BEHAVIOURS.length - 1));
});

testWith(
  ["linux"],
  "growth: with any number of capabilities every packet reaches its worker, and is timed",
  async () => {
    const rows = await quick("growth");
    checkRows("growth", rows);
    assert.equal(rows.length, 2 * GROWTH_COUNTS.length);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

testWith(
  ["linux", "root", "tool:ip"],
  "idle: a system that nothing comes to is measured, emulated and on a veth",
  async () => {
    const rows = await quick("idle");
    checkRows("idle", rows);
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.note === undefined));
  },
);

Deno.test("bench refuses a name that there is not, and says which was meant", async () => {
  const main = new URL("../../bench/main.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, "clasify"],
  }).output();
  assert.equal(code, 2);
  assert.match(
    new TextDecoder().decode(stderr),
    /no clasify; did you mean classify\?/,
  );
});
