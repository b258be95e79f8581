/** What is changed in running tables, and what is compiled. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { InstallOrder } from "../../../../caps/driver/messages.ts";
import {
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHTS_ALL,
} from "../../../../caps/kernel/rights.ts";
import { CapabilityKernel } from "../../../../caps/kernel/kernel.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import { ethernet } from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { Compilation } from "../../../../services/filter/service/compilation.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { CheckCache } from "../../../../services/filter/wasm/permits.ts";
import { MEMORY_PAGES } from "../wasm/wasm_harness.ts";
import { lastOf, Rig } from "./service_rig.ts";

const OURS = "02:00:00:00:00:07";
const OTHERS = "02:00:00:00:00:08";

const flow = (port: number, mac = OURS) =>
  ethernet().dst(mac).ipv4().udp().dstPort(port).grant;

/** Twenty flows of one shape, so that there are tables. */
async function withTables(rig: Rig): Promise<void> {
  for (let port = 1; port <= 20; port++) await derive(rig, flow(port));
}

async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** The order that came last for what was derived. */
async function derive(
  rig: Rig,
  grant: ReturnType<typeof flow>,
  rights = RIGHTS_ALL,
  from = rig.root,
): Promise<InstallOrder> {
  const asked = { from, grant, rights, quotaPages: 1 };
  await rig.clients[0]!.derive(asked);
  return lastOf(rig);
}

type Case = readonly [what: string, rights: number];

const RECEIVED: Case = ["that is received", RIGHTS_ALL];
const SENT: Case = ["that is only sent", RIGHT_DERIVE | RIGHT_SEND];
const OBSERVED: Case = ["that is only observed", RIGHT_OBSERVE];

/** Whether one more flow, of the shape that there are tables for, is a change of those. */
const CASES: readonly (readonly [
  nic: "kernel" | "drop" | "socket" | undefined,
  cover: boolean,
  patched: readonly Case[],
  compiled: readonly Case[],
])[] = [
  [undefined, false, [RECEIVED, SENT], [OBSERVED]],
  ["kernel", false, [RECEIVED, SENT], [OBSERVED]],
  ["kernel", true, [RECEIVED, SENT], [OBSERVED]],
  ["drop", true, [RECEIVED, SENT], [OBSERVED]],
  // A packet socket takes what it was told of: a port more is news to it.
  ["socket", false, [SENT], [RECEIVED, OBSERVED]],
];

for (const [nic, cover, patched, compiled] of CASES) {
  for (
    const [kind, cases] of Object.entries({ patch: patched, commit: compiled })
  ) {
    for (const [what, rights] of cases) {
      const name = `${nic ?? "no"} program${cover ? " that is a cover" : ""}`;
      Deno.test(`with ${name}, a flow ${what} is a ${kind}`, async () => {
        using rig = new Rig(nic);
        rig.refusesCovers = false;
        if (cover) rig.refusal = "the verifier said no";
        await withTables(rig);
        const before = lastOf(rig);
        equal(before.kernel !== undefined, nic === "kernel" && !cover);
        equal((await derive(rig, flow(77), rights)).kind, kind);
      });
    }
  }
}

Deno.test("a flow that nobody receives has no tag in the kernel's map, and one that is received has its own", async () => {
  using rig = new Rig("kernel");
  await withTables(rig);
  for (
    const [rights, tagged] of [[SENT[1], false], [RIGHTS_ALL, true]] as const
  ) {
    const order = await derive(rig, flow(tagged ? 78 : 77), rights);
    ok(order.kind === "patch");
    const { slot } = order.opened[0]!;
    const expected = new BigUint64Array([tagged ? rig.live.get(slot)! : 0n]);
    deepEqual(
      order.kernel!.map(({ value }) => value!.toHex()),
      [new Uint8Array(expected.buffer).toHex()],
    );
  }
});

/** Everything that is derived from the root of `kernel`, under a cover. */
function covered(
  kernel: CapabilityKernel<Grant>,
  unclaimed: "kernel" | "drop",
): Compilation {
  const target = { memoryPages: MEMORY_PAGES, kernel: { unclaimed } };
  const compilation = new Compilation(kernel.root!, target, new CheckCache());
  compilation.cover("the verifier said no");
  return compilation;
}

for (const unclaimed of ["kernel", "drop"] as const) {
  Deno.test(
    `under a cover that gives the rest to ${unclaimed}, what is received for another address is ${
      unclaimed === "drop" ? "a change" : "compiled"
    }`,
    () => {
      const kernel = new CapabilityKernel(
        grantAlgebra,
        new TagGenerator((out) => out.fill(9)),
        { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 2 },
      );
      const root = kernel.makeRoot(0, 0);
      const open = (grant: Grant, rights = RIGHTS_ALL) => {
        const derived = kernel.derive(0, root, {
          grant,
          rights,
          quotaPages: 0,
        });
        ok("node" in derived);
        return derived.node;
      };
      for (let port = 1; port <= 20; port++) {
        open(flow(port));
        // These have tables too, and are not covered: nobody receives them.
        open(flow(port, OTHERS), SENT[1]);
      }
      const [one, other] = [
        covered(kernel, unclaimed),
        covered(kernel, unclaimed),
      ];
      const ours = open(flow(77));
      const sent = open(flow(78, OTHERS), SENT[1]);
      const theirs = open(flow(79, OTHERS));
      const changes = (opened: typeof ours[]) => ({ ended: [], opened });
      ok(one.change(changes([ours, sent])) !== undefined);
      const patches = other.change(changes([ours, theirs]));
      equal(patches !== undefined, unclaimed === "drop");
    },
  );
}

Deno.test("under a capability that receives, a packet socket is told of nothing new", async () => {
  using rig = new Rig("socket");
  await withTables(rig);
  const parent = await rig.clients[0]!.derive({
    from: rig.root,
    grant: ethernet().dst(OTHERS).grant,
    rights: RIGHTS_ALL,
    quotaPages: 30,
  });
  for (let port = 1; port <= 20; port++) {
    await derive(rig, flow(port, OTHERS), RIGHT_RECEIVE, parent);
  }
  equal(
    (await derive(rig, flow(77, OTHERS), RIGHT_RECEIVE, parent)).kind,
    "patch",
  );
});

Deno.test("where something ends under a cover, the NIC is offered its own program again", async () => {
  using rig = new Rig("kernel");
  rig.refusesCovers = false;
  rig.refusal = "the verifier said no";
  await withTables(rig);
  const one = await rig.clients[0]!.derive({
    ...{ from: rig.root, grant: flow(50), rights: RIGHTS_ALL, quotaPages: 1 },
  });
  equal(lastOf(rig).kind, "patch");
  const count = rig.orders.length;
  await rig.clients[0]!.end("drop", one);
  await derive(rig, flow(51));
  const kinds = rig.orders.slice(count).map((order) =>
    "cover" in order && order.cover !== undefined ? "cover" : order.kind
  ).filter((kind) => kind === "cover" || kind === "commit" || kind === "patch");
  // Its own, which it refuses, and then a cover.
  deepEqual(kinds.slice(0, 2), ["commit", "cover"]);
});

Deno.test("what a map has no room for is compiled, and granted", async () => {
  using rig = new Rig("kernel");
  await withTables(rig);
  rig.patchRefusal = "the map is full";
  const count = rig.orders.length;
  equal((await derive(rig, flow(50))).kind, "commit");
  deepEqual(rig.orders.slice(count).map(({ kind }) => kind), [
    ...["patch", "commit"],
  ]);
  rig.patchRefusal = undefined;
  const order = await derive(rig, flow(51));
  ok(order.kind === "patch" && order.kernel !== undefined);
  equal(rig.service.describe().length, 22);
});

Deno.test("what is refused is taken out by compiling everything, and then tables are changed again", async () => {
  using rig = new Rig("kernel");
  await withTables(rig);
  rig.refusal = "no more today";
  const count = rig.orders.length;
  await rejects(derive(rig, flow(50)), { refused: "driver" });
  await turns();
  // Its own and a cover, and both again without the flow.
  deepEqual(rig.orders.slice(count).map(({ kind }) => kind), [
    ...["patch", "commit", "commit", "revoke", "quota", "commit", "commit"],
  ]);
  rig.refusal = undefined;
  equal((await derive(rig, flow(51))).kind, "commit");
  equal((await derive(rig, flow(52))).kind, "patch");
  equal(rig.service.describe().length, 22);
});

Deno.test("what a packet socket refused is compiled again, and not changed", async () => {
  using rig = new Rig("socket");
  await withTables(rig);
  rig.refusal = "no more today";
  const count = rig.orders.length;
  await rejects(derive(rig, flow(50)), { refused: "driver" });
  await turns();
  deepEqual(rig.orders.slice(count).map(({ kind }) => kind), [
    ...["commit", "revoke", "quota", "commit"],
  ]);
  rig.refusal = undefined;
  equal((await derive(rig, flow(51))).kind, "commit");
  equal(rig.service.describe().length, 21);
});
