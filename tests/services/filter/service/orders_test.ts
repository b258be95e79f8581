/** What a filter service tells its driver, and the system, of what lives and of what has ended. */

import { deepEqual, equal, rejects } from "node:assert/strict";
import type { DriverOrder } from "../../../../caps/driver/messages.ts";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import {
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHTS_ALL,
} from "../../../../caps/kernel/rights.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import type { FilterRequest } from "../../../../services/filter/service/messages.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { loadModule } from "../wasm/wasm_harness.ts";
import { lastOf, Rig } from "./service_rig.ts";

const udp = (low: number, high = low) => ipv4().udp().dstPort(low, high).grant;

async function turns(count = 30): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** The orders of a kind since the rig began. */
function ordersOf<Kind extends DriverOrder["kind"]>(
  rig: Rig,
  kind: Kind,
): Extract<DriverOrder, { kind: Kind }>[] {
  return rig.orders.filter((order): order is Extract<
    DriverOrder,
    { kind: Kind }
  > => order.kind === kind);
}

/** Derives a chain from the root, one from the other, with these rights and quotas. */
async function chain(
  rig: Rig,
  links: readonly (readonly [rights: number, quotaPages: number])[],
): Promise<Capability[]> {
  const made = [rig.root];
  for (const [rights, quotaPages] of links) {
    made.push(
      await rig.clients[0]!.derive({
        ...{ from: made.at(-1)!, grant: udp(7), rights, quotaPages },
      }),
    );
  }
  return made;
}

Deno.test("what ends goes to the nearest above it that receives, and its pages to whom they were carved out of", async () => {
  using rig = new Rig();
  const [, , middle] = await chain(rig, [
    [RIGHTS_ALL, 50],
    [RIGHT_DERIVE, 30],
    [RIGHT_DERIVE, 20],
    [RIGHT_DERIVE, 10],
  ]);
  await rig.clients[0]!.end("revoke", middle!);
  await turns();
  const [revoke, ...others] = ordersOf(rig, "revoke");
  deepEqual(others, []);
  const pairs = [...revoke!.ended];
  deepEqual(
    new Map(pairs.flatMap((slot, i) => i % 2 ? [] : [[slot, pairs[i + 1]]])),
    new Map([[3, 1], [4, 1]]),
  );
  deepEqual(ordersOf(rig, "quota").map(({ quotas }) => quotas), [
    [{ slot: 2, quotaPages: 30 }],
  ]);
  await rig.clients[0]!.end("drop", middle!);
  await turns();
  deepEqual([...ordersOf(rig, "revoke")[1]!.ended], [2, 1]);
  deepEqual(ordersOf(rig, "quota")[1]!.quotas, [{ slot: 1, quotaPages: 50 }]);
});

Deno.test("an ended subtree that drains bit by bit makes its ancestor richer each time, and nothing that has ended", async () => {
  using rig = new Rig();
  const [, top] = await chain(rig, [[RIGHTS_ALL, 50], [RIGHTS_ALL, 20]]);
  await rig.clients[0]!.end("drop", top!);
  await turns();
  for (const { quotas } of ordersOf(rig, "quota")) {
    deepEqual(quotas, [{ slot: 0, quotaPages: 100 }]);
  }
  equal(ordersOf(rig, "quota").length, 1);
  // Where no pages come back to anybody nothing is said.
  const count = rig.orders.length;
  rig.report({ kind: "drained", slots: Uint32Array.of(60, 61) });
  await turns();
  equal(rig.orders.length, count);
});

Deno.test("from what is closed nothing more is derived, and what was goes on", async () => {
  using rig = new Rig();
  const [client] = rig.clients;
  const [, own, part] = await chain(rig, [[RIGHTS_ALL, 9], [RIGHTS_ALL, 1]]);
  const before = rig.orders.length;
  await client!.end("close", own!);
  equal(rig.orders.length, before);
  const asked = { grant: udp(7), rights: RIGHT_RECEIVE, quotaPages: 0 };
  await rejects(client!.derive({ ...asked, from: own! }), {
    refused: "closed",
  });
  equal(rig.service.describe().length, 2);
  await client!.derive({ ...asked, from: part! });
  equal(rig.service.describe().length, 3);
  const odd = client!.end("close", 99n as Capability);
  await rejects(odd, { refused: "void" });
});

Deno.test("what lives is described as what it really has", async () => {
  using rig = new Rig();
  const [system] = rig.clients;
  deepEqual(rig.service.describe(), []);
  const own = await system!.derive({
    from: rig.root,
    grant: udp(5, 9),
    rights: RIGHTS_ALL,
    quotaPages: 10,
    to: 1,
  });
  await rig.clients[1]!.derive({
    from: own,
    grant: ipv4().udp().dstPort(7, 90).grant,
    rights: RIGHT_RECEIVE,
    quotaPages: 4,
  });
  await rig.clients[1]!.derive({
    from: own,
    grant: udp(6),
    rights: RIGHT_OBSERVE,
    quotaPages: 1,
    to: 2,
  });
  deepEqual(rig.service.describe(), [
    {
      slot: 1,
      parent: 0,
      rights: RIGHTS_ALL,
      port: 1,
      filter: "ip and udp dst portrange 5-9",
      quotaPages: 10,
      narrowed: true,
    },
    {
      slot: 2,
      parent: 1,
      rights: RIGHT_RECEIVE,
      port: 1,
      filter: "ip and udp dst portrange 7-9",
      quotaPages: 4,
      narrowed: false,
    },
    {
      slot: 3,
      parent: 1,
      rights: RIGHT_OBSERVE,
      port: 2,
      filter: "ip and udp dst port 6",
      quotaPages: 1,
      narrowed: false,
    },
  ]);
});

Deno.test("who may send is checked for what it may, who observes for what it sees, and nobody else", async () => {
  using rig = new Rig();
  const [, own] = await chain(rig, [[RIGHTS_ALL, 10]]);
  const derive = (
    rights: number,
    more: { grant?: ReturnType<typeof udp>; sends?: ReturnType<typeof udp> },
  ) =>
    rig.clients[0]!.derive({
      ...{ from: own!, grant: udp(7), rights, quotaPages: 0, ...more },
    });
  const sends = ipv4().tcp().dstPort(80).grant;
  await derive(RIGHT_RECEIVE | RIGHT_SEND, { sends });
  await derive(RIGHT_OBSERVE, {});
  const order = lastOf(rig);
  equal(order.kind, "commit");
  const { permit, classifyAtEnd } = loadModule(
    (order as Extract<typeof order, { kind: "commit" }>).wasm,
  );
  const frames = [udp(7), sends].map(([one]) => witness(one!));
  deepEqual(permit(frames, 2), [0, 2]);
  deepEqual(permit(frames, 3), [3, 0]);
  deepEqual(permit(frames, 4), [0, 0]);
  // It owns nothing: its sibling does.
  equal(classifyAtEnd(frames[0]!), 2);
});

Deno.test("a request that is none is counted and not answered, whatever it lacks", async () => {
  using rig = new Rig();
  const odd = [
    ...[null, undefined, 7, "close", true, [], {}, { id: 1 }, { op: "close" }],
    { id: "1", op: "close", capability: rig.root },
    { id: 1, op: "open", capability: rig.root },
    { id: null, op: "drop", capability: rig.root },
    { id: 1, op: ["drop"], capability: rig.root },
  ];
  for (const one of odd) rig.raw[0]!.post(one as unknown as FilterRequest);
  await turns();
  deepEqual(rig.service.refusals()[0], {
    port: 0,
    refusals: { malformed: odd.length },
  });
  equal(rig.raw[0]!.take(), undefined);
  equal(rig.service.describe().length, 0);
});

Deno.test("a filter service that ends closes every port", () => {
  const rig = new Rig();
  rig[Symbol.dispose]();
  deepEqual(rig.raw.map(({ closed }) => closed), [true, true, true]);
  deepEqual(rig.service.refusals(), []);
  equal(rig.driverClosed, true);
});
