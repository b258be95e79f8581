import assert from "node:assert/strict";
import { RIGHT_DERIVE, RIGHT_RECEIVE } from "../../../../caps/kernel/rights.ts";
import type { InstallOrder } from "../../../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../../../caps/kernel/kernel.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import { ProgramTooLarge } from "../../../../services/filter/ebpf/limits.ts";
import { Compilation } from "../../../../services/filter/service/compilation.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { CheckCache } from "../../../../services/filter/wasm/permits.ts";
import { MEMORY_PAGES } from "../wasm/wasm_harness.ts";
import {
  either,
  ethernet,
  ipv4,
} from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { SocketCover } from "../../../../services/filter/classic/cover.ts";
import { Installer } from "../../../../services/filter/service/installer.ts";
import { lastOf, Rig } from "./service_rig.ts";

const OURS = "02:00:00:00:00:07";
const receive = { rights: RIGHT_RECEIVE, quotaPages: 1 };

async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

Deno.test("where the NIC refuses its program it gets a cover, says why, and has its own again once it takes that", async () => {
  using rig = new Rig("kernel");
  const [client] = rig.clients;
  const derive = (port: number, mac = OURS) =>
    client!.derive({
      from: rig.root,
      grant: ethernet().dst(mac).ipv4().udp().dstPort(port).grant,
      ...receive,
    });
  rig.refusal = "the verifier said no\n0: R1 invalid";
  rig.refusesCovers = false;
  const first = await derive(7);
  const covering = lastOf(rig);
  assert.ok(covering.kind === "commit" && covering.kernel !== undefined);
  assert.deepEqual(covering.cover, {
    why: rig.refusal,
    addresses: [[2, 0, 0, 0, 0, 7]],
  });
  // What is covered changes nothing at the NIC; what is not is.
  const count = rig.orders.length;
  await derive(8);
  for (const order of rig.orders.slice(count)) {
    if (order.kind === "patch") assert.equal(order.kernel, undefined);
  }
  await derive(9, "02:00:00:00:00:08");
  const wider = lastOf(rig);
  assert.ok(wider.kind === "commit");
  assert.equal(wider.cover!.addresses.length, 2);
  rig.refusal = undefined;
  await client!.end("drop", first);
  await derive(10);
  const commit = rig.orders.findLast(({ kind }) => kind === "commit");
  assert.ok(commit?.kind === "commit" && commit.kernel !== undefined);
  assert.equal(commit.cover, undefined);
  assert.equal(rig.service.describe().length, 3);
});

Deno.test("a packet socket takes what is new before the grant is answered, and is left alone by what it takes already", async () => {
  using rig = new Rig("socket");
  const [client] = rig.clients;
  const rights = RIGHT_RECEIVE | RIGHT_DERIVE;
  const derive = (from: typeof rig.root, text: { readonly grant: Grant }) =>
    client!.derive({ from, grant: text.grant, rights, quotaPages: 2 });
  const udp = ethernet().dst(OURS).ipv4().udp();
  /** What the socket takes now. */
  const socket = () => {
    const commit = rig.orders.findLast(({ kind }) => kind === "commit");
    assert.ok(commit?.kind === "commit" && commit.kernel === undefined);
    return commit.socket;
  };
  const covering = (...grants: Grant[]) =>
    new SocketCover(
      grants.map((grant, index) => ({ slot: index + 1, grant, children: [] })),
    ).emit();
  const ports = Array.from({ length: 8 }, (_, n) => udp.dstPort(7 + n));
  for (const [n, port] of ports.entries()) {
    await derive(rig.root, port);
    const grants = ports.slice(0, n + 1).map(({ grant }) => grant);
    assert.deepEqual(socket(), covering(...grants), `${n + 1} ports`);
  }
  const wide = ethernet().dst("02:00:00:00:00:08").ipv4().udp();
  const receiver = await derive(rig.root, wide);
  const before = socket();
  await derive(receiver, wide.dstPort(53));
  assert.deepEqual(socket(), before);
});

/** 64 port ranges, and others for each `index`. */
function ranges(index: number, frames: { ipv4: typeof ipv4 }) {
  return either(
    ...Array.from({ length: 64 }, (_, i) => {
      const low = (index * 64 + i) * 8;
      return frames.ipv4().udp().dstPort(low, low + 1);
    }),
  );
}

Deno.test("a round of installing begins when the one before it is answered, and takes all that came until then", async () => {
  const kernel = new CapabilityKernel(
    grantAlgebra,
    new TagGenerator((out) => out.fill(9)),
    { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 2 },
  );
  const root = kernel.makeRoot(0, 0);
  const orders: InstallOrder[] = [];
  const installer = new Installer({
    kernel,
    target: { memoryPages: MEMORY_PAGES },
    driver: { post: (order) => orders.push(order as InstallOrder) > 0 },
  });
  const open = (port: number) => {
    const { grant } = ipv4().udp().dstPort(port);
    const wanted = { grant, rights: RIGHT_RECEIVE, quotaPages: 0 };
    const derived = kernel.derive(0, root, wanted);
    assert.ok("node" in derived);
    installer.open(derived.node);
    return installer.commit();
  };
  const rounds = [open(1)];
  await turns();
  rounds.push(open(2), open(3));
  await turns();
  assert.equal(orders.length, 1);
  installer.committed({ kind: "committed", version: orders[0]!.version });
  await turns();
  rounds.push(open(4));
  await turns();
  assert.deepEqual(orders.map(({ opened }) => opened.length), [1, 2]);
  installer.committed({ kind: "committed", version: orders[1]!.version });
  await turns();
  installer.committed({ kind: "committed", version: orders[2]!.version });
  assert.deepEqual(await Promise.all(rounds), Array(4).fill(undefined));
  assert.equal(orders.length, 3);
});

Deno.test("what no kernel program holds, and no cover either, is refused with both reasons and the second's error", () => {
  const kernel = new CapabilityKernel(
    grantAlgebra,
    new TagGenerator((out) => out.fill(9)),
    { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 2 },
  );
  const root = kernel.makeRoot(0, 0);
  for (let index = 0; index < 60; index++) {
    const grant = ranges(index, { ipv4 });
    const wanted = { grant, rights: RIGHT_RECEIVE, quotaPages: 0 };
    assert.ok("node" in kernel.derive(0, root, wanted));
  }
  const unclaimed = "kernel";
  const target = { memoryPages: MEMORY_PAGES, kernel: { unclaimed } } as const;
  assert.throws(
    () => new Compilation(kernel.root!, target, new CheckCache()),
    ({ message, cause }: Error) => {
      assert.ok(cause instanceof ProgramTooLarge);
      assert.ok(message.endsWith(`to be classified: ${cause.message}`));
      return true;
    },
  );
});

Deno.test("a cover that was compiled, and is refused too, is refused with both reasons, and its grant with it", async () => {
  using rig = new Rig("drop");
  const derive = (index: number) =>
    rig.clients[0]!.derive({
      from: rig.root,
      grant: ranges(index, { ipv4 }),
      ...receive,
    });
  await Promise.all(Array.from({ length: 60 }, (_, index) => derive(index)));
  rig.refusal = "the verifier said no";
  await assert.rejects(derive(60), {
    message:
      /^no kernel program.* is the most; nor does it take all .*: the verifier said no$/,
  });
});

for (const unclaimed of ["kernel", "drop"] as const) {
  for (const mac of [OURS, undefined]) {
    const covered = mac !== undefined || unclaimed === "drop";
    Deno.test(
      `more than a kernel program holds is ${
        covered ? "covered" : "refused for both reasons"
      }: ${
        mac === undefined ? "for any address" : "for one address"
      }, unclaimed to ${unclaimed}`,
      async () => {
        using rig = new Rig(unclaimed);
        const frames = mac === undefined ? { ipv4 } : ethernet().dst(mac);
        const results = await Promise.all(
          Array.from({ length: 60 }, (_, index) =>
            rig.clients[0]!.derive({
              from: rig.root,
              grant: ranges(index, frames as { ipv4: typeof ipv4 }),
              ...receive,
            }).then(() => undefined, (error: Error) => error.message)),
        );
        const refused = results.filter((message) => message !== undefined);
        if (!covered) {
          assert.ok(refused.length > 0);
          for (const message of refused) {
            assert.match(
              message,
              /^no kernel program.* is the most; nor does it take all .* is the most$/,
            );
          }
          return;
        }
        assert.deepEqual(refused, []);
        const { cover } = lastOf(rig) as { cover?: { why: string } };
        assert.match(cover!.why, /^no kernel program.* is the most$/);
      },
    );
  }
}
