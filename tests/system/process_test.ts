/** Services in processes of their own, on the three NICs that can start them, with the kernel on the far side as their judge. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { testWith } from "../needs.ts";
import { INTERFACE, makeNamespacePair, NETNS_NEEDS } from "../netns.ts";
import { ADDRESS, answers, datagrams, ping } from "./far_kernel.ts";
import { lives, servicesOf } from "./service_processes.ts";
import { snapshotIn, UpProcess, upWithManifest } from "./up_process.ts";

const NEEDS = [
  ...NETNS_NEEDS,
  "tool:ping",
  "tool:cat",
  "bundler",
] as const;

const PLACED = ["--address", `${ADDRESS}/24`, "--place", "process", "--json"];

for (const kind of ["packet", "xdp"] as const) {
  testWith(
    NEEDS,
    `on ${kind} services in processes answer the far kernel, pages come back, and no process is left`,
    async () => {
      await using pair = await makeNamespacePair();
      const { left, right } = pair;
      const args = ["--nic", `${kind}:${INTERFACE}`, ...PLACED];
      await using process = new UpProcess(args, { space: right });
      await answers(left);
      const running = await servicesOf(process);
      assert.equal(running.length, 3);
      const network = await Deno.readLink(`/proc/${process.child.pid}/ns/net`);
      for (const { pid, line, status } of running) {
        assert.doesNotMatch(line, /--allow/);
        assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
        assert.match(status, /^CapEff:\t0+$/m);
        assert.match(status, /^NoNewPrivs:\t1$/m);
        assert.notEqual(await Deno.readLink(`/proc/${pid}/ns/net`), network);
      }
      const [pings, echoes] = await Promise.all([
        ping(left, ADDRESS, 50),
        datagrams(left, 300),
      ]);
      assert.match(pings, /50 packets transmitted, 50 received/);
      assert.deepEqual(echoes, { sent: 300, intact: 300 });
      const result = await process.interrupt();
      assert.equal(result.err, "");
      assert.equal(result.code, 0);
      const { pages, services } = snapshotIn(result);
      assert.equal(pages.free, pages.total, JSON.stringify(pages));
      for (const { name, place, refusals, restarts } of services) {
        assert.equal(place, "process", name);
        assert.deepEqual(refusals, {}, name);
        assert.equal(restarts, 0, name);
      }
      for (const one of running) assert.equal(await lives(one), false);
    },
  );
}

testWith(
  NEEDS,
  "a process that is killed is another one soon, nobody else notices, and no page is left behind",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const args = ["--nic", `packet:${INTERFACE}`, ...PLACED];
    await using process = new UpProcess(args, { space: right });
    await answers(left);
    const before = await servicesOf(process);
    const echo = before.find(({ line }) => line.includes("icmp-echo"))!;
    Deno.kill(Number(echo.pid), "SIGKILL");
    assert.deepEqual(await datagrams(left, 100), { sent: 100, intact: 100 });
    await answers(left);
    const after = await servicesOf(process);
    assert.equal(after.length, 3);
    const same = after.filter(({ pid }) =>
      before.some((one) => one.pid === pid)
    );
    assert.equal(same.length, 2);
    const { pages, services } = snapshotIn(await process.interrupt());
    assert.equal(pages.free, pages.total, JSON.stringify(pages));
    const restarted = services.find(({ name }) => name === "icmp-echo")!;
    assert.equal(restarted.restarts, 1);
    assert.match(restarted.failure!, /its process was ended by signal 9/);
  },
);

testWith(
  NEEDS,
  "when the system itself is killed, so are the processes of its services",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const args = ["--nic", `packet:${INTERFACE}`, ...PLACED];
    await using process = new UpProcess(args, { space: right });
    await answers(left);
    const running = await servicesOf(process);
    assert.equal(running.length, 3);
    process.child.kill("SIGKILL");
    await process.child.status;
    for (const one of running) while (await lives(one)) await delay(20);
  },
);

testWith(
  NEEDS,
  "what is interposed before services in the driver's processes sees each of their packets",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const interposed = { place: "process", interpose: [{ count: {} }] };
    await using process = upWithManifest({
      nic: `packet:${INTERFACE}`,
      address: `${ADDRESS}/24`,
      services: {
        arp: { core: "arp", ...interposed },
        "icmp-echo": { core: "icmp-echo", ...interposed },
        "udp-echo": { core: "udp-echo", ...interposed },
      },
    }, { space: right });
    await answers(left);
    assert.equal((await servicesOf(process)).length, 3);
    assert.deepEqual(await datagrams(left, 200), { sent: 200, intact: 200 });
    const result = await process.interrupt();
    assert.equal(result.err, "");
    const { pages, services } = snapshotIn(result);
    assert.equal(pages.free, pages.total, JSON.stringify(pages));
    for (const { name, place, interposers, capabilities } of services) {
      assert.equal(place, "process", name);
      const { delivered, sent } = interposers![0]!.counters;
      const [capability] = capabilities;
      assert.equal(delivered, capability!.deliveredPackets, name);
      assert.equal(sent, capability!.sentPackets, name);
    }
  },
);
