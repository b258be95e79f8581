import assert from "node:assert/strict";
import fc from "fast-check";
import {
  RIGHT_DERIVE,
  RIGHT_RECEIVE,
  RIGHTS_ALL,
} from "../../../../caps/kernel/rights.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import {
  type FilterClient,
  RefusedError,
} from "../../../../services/filter/service/client.ts";
import type { FilterRequest } from "../../../../services/filter/service/messages.ts";
import { testProperty } from "../../../property.ts";
import { Rig } from "./service_rig.ts";
import { loadModule } from "../wasm/wasm_harness.ts";

const file = import.meta.url;

const udp = (port: number) => ipv4().udp().dstPort(port).grant;
const receive = { rights: RIGHT_RECEIVE, quotaPages: 1 };

async function refusedFor(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RefusedError);
    assert.ok(error.message.length > 0);
    return error.refused;
  }
  return "granted";
}

Deno.test("derive() answers only once the driver has the new capability installed", async () => {
  using rig = new Rig();
  const tag = await rig.clients[0]!.derive({
    from: rig.root,
    grant: udp(7),
    to: 1,
    ...receive,
  });
  const commit = rig.orders.find((order) => order.kind === "commit");
  assert.ok(commit?.kind === "commit");
  const [spec] = commit.opened;
  assert.equal((BigInt(spec!.tagHigh) << 32n) | BigInt(spec!.tagLow), tag);
  assert.deepEqual([spec!.port, spec!.quotaPages], [1, 1]);
  assert.deepEqual(commit.quotas, [{ slot: 0, quotaPages: 99 }]);
  assert.ok(commit.wasm instanceof WebAssembly.Module);
});

Deno.test("a tag is void on every port but its holder's, and the answer does not tell whether it exists", async () => {
  using rig = new Rig();
  const all = { rights: RIGHTS_ALL, quotaPages: 10 };
  const tag = await rig.clients[0]!.derive({
    from: rig.root,
    grant: udp(7),
    to: 1,
    ...all,
  });
  const ask = (client: FilterClient, from: bigint) =>
    refusedFor(client.derive({ from, grant: udp(7), ...receive }));
  assert.equal(await ask(rig.clients[2]!, tag), "void");
  assert.equal(await ask(rig.clients[2]!, 12345n), "void");
  assert.equal(await ask(rig.clients[2]!, rig.root), "void");
  assert.equal(await ask(rig.clients[1]!, tag), "granted");
  const [, , third] = rig.service.refusals();
  assert.deepEqual(third, { port: 2, refusals: { void: 3 } });
});

Deno.test("an overlapping grant is refused without saying whose it is", async () => {
  using rig = new Rig();
  await rig.clients[0]!.derive({
    from: rig.root,
    grant: udp(7),
    to: 1,
    ...receive,
  });
  const wide = ipv4().udp().dstPort(1, 100).grant;
  await assert.rejects(
    rig.clients[0]!.derive({ from: rig.root, grant: wide, to: 2, ...receive }),
    /overlap/,
  );
});

Deno.test("what the driver cannot install was never granted", async () => {
  using rig = new Rig();
  rig.refusal = "the verifier said no";
  const asked = { from: rig.root, grant: udp(7), to: 1, ...receive };
  await assert.rejects(rig.clients[0]!.derive(asked), /the verifier said no/);
  assert.deepEqual(rig.service.describe(), []);
  rig.refusal = undefined;
  await rig.clients[0]!.derive(asked);
  assert.equal(rig.service.describe().length, 1);
});

Deno.test("a holder that goes takes its capabilities with it, grandchildren on other ports too", async () => {
  using rig = new Rig();
  const all = { rights: RIGHTS_ALL, quotaPages: 10 };
  const tag = await rig.clients[0]!.derive({
    from: rig.root,
    grant: udp(7),
    to: 1,
    ...all,
  });
  await rig.clients[1]!.derive({ from: tag, grant: udp(7), to: 2, ...receive });
  await rig.service.detach(1);
  const revoke = rig.orders.find((order) => order.kind === "revoke");
  assert.ok(revoke?.kind === "revoke");
  assert.equal(revoke.ended.length / 2, 2);
  assert.deepEqual(rig.service.describe(), []);
});

Deno.test("requests that come together are compiled together", async () => {
  using rig = new Rig();
  const ports = Array.from({ length: 20 }, (_, i) => i + 1);
  const asked = { from: rig.root, ...receive };
  await Promise.all(
    ports.map((port) => rig.clients[0]!.derive({ ...asked, grant: udp(port) })),
  );
  await Promise.all(
    [1, 2].map((id) =>
      refusedFor(rig.clients[id]!.derive({ ...asked, grant: udp(50 + id) }))
    ),
  );
  assert.equal(rig.service.describe().length, 20);
  assert.ok(rig.orders.length <= 20);
});

Deno.test("a holder that floods is cut off, and the others are served", async () => {
  using rig = new Rig();
  for (let i = 0; i < 5000; i++) {
    rig.raw[2]!.post({ id: 1, op: "nonsense" } as unknown as FilterRequest);
  }
  await rig.clients[0]!.derive({ from: rig.root, grant: udp(7), ...receive });
  assert.deepEqual(rig.cutOff, [2]);
  assert.ok(rig.raw[2]!.closed);
});

Deno.test("who asks for what others have is told so, however often, and served as before", async () => {
  using rig = new Rig();
  const asked = { from: rig.root, ...receive };
  await rig.clients[0]!.derive({ ...asked, grant: udp(7), to: 1 });
  for (let i = 0; i < 5000; i++) {
    const again = rig.clients[0]!.derive({ ...asked, grant: udp(7), to: 2 });
    assert.equal(await refusedFor(again), "overlap");
  }
  await rig.clients[0]!.derive({ ...asked, grant: udp(8), to: 2 });
  assert.deepEqual(rig.cutOff, []);
  const [system] = rig.service.refusals();
  assert.deepEqual(system, { port: 0, refusals: { overlap: 5000 } });
});

testProperty(
  "no request, whatever it is, throws or grants what it should not",
  { runs: 200, file },
  fc.asyncProperty(
    fc.array(
      fc.oneof(
        fc.anything(),
        fc.record({
          id: fc.anything(),
          op: fc.constantFrom("derive", "close", "revoke", "drop", "x"),
          from: fc.anything(),
          capability: fc.anything(),
          grant: fc.anything(),
          sends: fc.anything(),
          rights: fc.anything(),
          quotaPages: fc.anything(),
          to: fc.anything(),
        }),
      ),
      { maxLength: 8 },
    ),
    async (requests) => {
      using rig = new Rig();
      for (const request of requests) {
        try {
          rig.raw[1]!.post(request as FilterRequest);
        } catch {
          // Not every value can be posted at all.
        }
      }
      const tag = await rig.clients[0]!.derive({
        from: rig.root,
        grant: udp(7),
        ...receive,
      });
      assert.ok(tag > 0n);
      assert.equal(rig.service.describe().length, 1);
    },
  ),
);

testProperty(
  "a holder's own requests, with fields of all kinds, only narrow what it holds",
  { runs: 100, file },
  fc.asyncProperty(
    fc.array(
      fc.record({
        rights: fc.oneof(fc.nat({ max: 40 }), fc.anything()),
        quotaPages: fc.oneof(fc.nat({ max: 20 }), fc.anything()),
        copyBytesMax: fc.oneof(fc.nat(), fc.anything()),
        port: fc.nat({ max: 9 }),
        to: fc.option(fc.oneof(fc.nat({ max: 3 }), fc.anything()), {
          nil: undefined,
        }),
      }),
      { maxLength: 6 },
    ),
    async (asked) => {
      using rig = new Rig();
      const envelope = await rig.clients[0]!.derive({
        from: rig.root,
        grant: ipv4().udp().grant,
        rights: RIGHT_RECEIVE | RIGHT_DERIVE,
        quotaPages: 10,
        to: 1,
      });
      for (const { port, ...fields } of asked) {
        const request = { from: envelope, grant: udp(port), ...fields };
        try {
          rig.raw[1]!.post(
            { id: 0, op: "derive", ...request } as FilterRequest,
          );
        } catch {
          continue;
        }
      }
      await refusedFor(
        rig.clients[1]!.derive({ from: 5n, grant: udp(1), ...receive }),
      );
      const quotas = rig.orders.flatMap((order) =>
        "opened" in order ? order.opened : []
      )
        .filter(({ slot }) => slot > 1);
      for (const { rights, port } of quotas) {
        assert.equal(rights & ~(RIGHT_RECEIVE | RIGHT_DERIVE), 0);
        assert.equal(port, 1);
      }
      const total = quotas.reduce((sum, { quotaPages }) => sum + quotaPages, 0);
      assert.ok(total <= 10);
    },
  ),
);

Deno.test("a residual selects among a grant's packets, is described, and ends the derivations", async () => {
  using rig = new Rig();
  const [client] = rig.clients;
  const asked = { from: rig.root, rights: RIGHTS_ALL, quotaPages: 10 };
  const tag = await client!.derive({
    ...asked,
    grant: udp(7),
    residual: "greater 100\n and  ether[60] = 1",
  });
  const [described] = rig.service.describe();
  assert.equal(
    described!.filter,
    "ip and udp dst port 7; of those: greater 100 and ether[60] = 1",
  );
  const within = { from: tag, grant: udp(7), ...receive };
  assert.equal(await refusedFor(client!.derive(within)), "residual");
  // Text separates no siblings.
  const sibling = { ...asked, grant: udp(7), residual: "less 99" };
  assert.equal(await refusedFor(client!.derive(sibling)), "overlap");
  const order = rig.orders.findLast((one) => one.kind === "commit");
  const { classifyAtEnd } = loadModule(order!.wasm);
  const frame = new Uint8Array(120);
  frame.set([8, 0, 0x45], 12);
  frame[23] = 17;
  frame[37] = 7;
  assert.equal(classifyAtEnd(frame), 0);
  frame[60] = 1;
  assert.equal(classifyAtEnd(frame), described!.slot);
  assert.equal(classifyAtEnd(frame.subarray(0, 99)), 0);
  await client!.end("drop", tag);
  await client!.derive({ ...asked, grant: udp(7) });
});

Deno.test("derive() refuses a residual that is no filter, or more than is admitted, with its place", async () => {
  using rig = new Rig();
  const [client] = rig.clients;
  const asked = { from: rig.root, grant: udp(7), ...receive };
  const refused: readonly (readonly [unknown, RegExp])[] = [
    ["tcp prot 3", /column 5/],
    ["x".repeat(5000), /4096/],
    [Array.from({ length: 60 }, (_, i) => `port ${i}`).join(" or "), /512/],
    [
      "ip6 protochain 1 or ip6 protochain 2 or ip6 protochain 3",
      /3 places/,
    ],
    [7, /string/],
  ];
  for (const [residual, words] of refused) {
    await assert.rejects(
      client!.derive({ ...asked, residual: residual as string }),
      (error) => {
        assert.ok(error instanceof RefusedError);
        assert.equal(error.refused, "invalid");
        assert.match(error.message, words);
        return true;
      },
    );
  }
  assert.deepEqual(rig.service.describe(), []);
});

Deno.test("a holder is told its own capability's account, and nobody else is", async () => {
  using rig = new Rig();
  const [system, holder, other] = rig.clients;
  const own = await system!.derive({
    from: rig.root,
    grant: udp(7),
    to: 1,
    ...receive,
  });
  const account = {
    heldPages: 1,
    quotaPages: 2,
    deliveredPackets: 3,
    deliveredBytes: 4,
    sentPackets: 5,
    sentBytes: 6,
    drops: { "no-page": 7 },
  };
  rig.counted = { counts: { slot: 1, port: 1, ...account } };
  assert.deepEqual(await holder!.account(own), account);
  assert.equal(await refusedFor(other!.account(own)), "void");
  assert.equal(
    await refusedFor(other!.account((own ^ 1n) as typeof own)),
    "void",
  );
  assert.equal(await refusedFor(system!.account(own)), "void");
  const asked = rig.orders.filter(({ kind }) => kind === "account");
  assert.equal(asked.length, 1);
  // It was over when the driver came to look.
  rig.counted = {};
  assert.equal(await refusedFor(holder!.account(own)), "void");
});

Deno.test("a client that is closed leaves nobody waiting", async () => {
  using rig = new Rig();
  const client = rig.clients[1]!;
  const waiting = client.account(rig.root);
  client[Symbol.dispose]();
  await assert.rejects(waiting, /the port is closed/);
  await assert.rejects(client.account(rig.root), /the port is closed/);
});

Deno.test("a limit goes to the driver with that of the nearest limited ancestor, and nonsense is refused", async () => {
  using rig = new Rig();
  const client = rig.clients[0]!;
  const derive = (from: typeof rig.root, limit?: unknown) =>
    client.derive({
      from,
      grant: udp(7),
      rights: RIGHTS_ALL,
      quotaPages: 1,
      ...(limit === undefined ? {} : { limit: limit as object }),
    });
  const first = await derive(rig.root, { packetsPerSecond: 5, more: "words" });
  const second = await derive(first);
  await derive(second, { bytesPerSecond: 100 });
  const specs = rig.orders.flatMap((order) =>
    "opened" in order ? order.opened : []
  );
  assert.deepEqual(
    specs.map(({ slot, limit, limitedBy }) => [slot, limit, limitedBy]),
    [
      [1, { packetsPerSecond: 5 }, undefined],
      [2, undefined, 1],
      [3, { bytesPerSecond: 100 }, 1],
    ],
  );
  for (
    const limit of [
      {},
      null,
      7,
      { packetsPerSecond: 0 },
      { packetsPerSecond: -1 },
      { bytesPerSecond: NaN },
      { bytesPerSecond: Infinity },
      { bytesPerSecond: "5" },
      { packetsPerSecond: 5, bytesPerSecond: 0 },
    ]
  ) {
    assert.equal(await refusedFor(derive(second, limit)), "invalid");
  }
});
