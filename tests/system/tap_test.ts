/** A whole system on a TAP and on a TUN, with the kernel at the other end as its judge. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { testWith } from "../needs.ts";
import { makeNamespacePair, type Namespace, NETNS_NEEDS } from "../netns.ts";
import { datagrams } from "./far_kernel.ts";
import { snapshotIn, UpProcess } from "./up_process.ts";

const NEEDS = [...NETNS_NEEDS, "tool:ping"] as const;
const NAME = "sp0";
const ADDRESS = "10.77.9.2";

/** The interfaces of a namespace, by name. */
async function interfaces(space: Namespace): Promise<string[]> {
  const links = JSON.parse(await space.run("ip", "-json", "link"));
  return (links as { ifname: string }[]).map(({ ifname }) => ifname).sort();
}

/** Waits until the interface is there and up, and gives the kernel's end an address. */
async function addAddress(space: Namespace): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { code, stdout } = await space.try(
      ...["ip", "-json", "link", "show", "dev", NAME, "up"],
    );
    if (code === 0 && stdout.includes(NAME)) {
      await space.run("ip", "address", "add", "10.77.9.1/24", "dev", NAME);
      return;
    }
    await delay(50);
  }
  assert.fail(`${NAME} does not come up`);
}

for (
  const [kind, options] of [["tap", ""], ["tun", ""], ["tap", ",queues=3"]]
) {
  testWith(
    NEEDS,
    `the kernel at the other end of a ${kind}${options} gets 50 of 50 pings and 300 of 300 datagrams, intact, and the interface is gone in the end`,
    async () => {
      await using pair = await makeNamespacePair();
      const { right } = pair;
      const before = await interfaces(right);
      const name = `${kind}:${NAME}${options}`;
      const nic = ["--nic", name, "--address", `${ADDRESS}/24`];
      await using process = new UpProcess([...nic, "--json"], { space: right });
      await addAddress(right);
      await right.run(..."ping -q -c 1 -W 10".split(" "), ADDRESS);
      const pings = await right.run(
        ..."ping -n -q -c 50 -i 0.01".split(" "),
        ADDRESS,
      );
      assert.match(pings, /50 packets transmitted, 50 received/);
      assert.deepEqual(await datagrams(right, 300, { address: ADDRESS }), {
        sent: 300,
        intact: 300,
      });

      const result = await process.interrupt();
      assert.deepEqual([result.code, result.err], [0, ""]);
      const { services, pages, nic: seen } = snapshotIn(result);
      assert.equal(seen.name, `${kind}:${NAME}`);
      assert.equal(seen.mode.includes("3 queues"), options !== "");
      const echo = services.find(({ name }) => name === "udp-echo");
      assert.equal(echo?.counters["echoed"], 300);
      assert.equal(pages.free, pages.total);
      assert.deepEqual(await interfaces(right), before);
    },
  );
}

testWith(
  NEEDS,
  "kill -9 leaves no TAP behind, and a persistent one as it was",
  async () => {
    await using pair = await makeNamespacePair();
    const { right } = pair;
    const before = await interfaces(right);
    const nic = ["--nic", `tap:${NAME}`, "--address", `${ADDRESS}/24`];
    {
      await using _process = new UpProcess(nic, { space: right });
      await addAddress(right);
    }
    assert.deepEqual(await interfaces(right), before);

    await right.run("ip", "tuntap", "add", NAME, "mode", "tap", "vnet_hdr");
    await right.run("ip", "link", "set", NAME, "up");
    const state = await stateOf(right);
    for (const ends of ["killed", "interrupted"]) {
      await using process = new UpProcess(nic, { space: right });
      await process.says(/^up on tap:sp0 \(TAP, as it was, /);
      await right.run("ip", "address", "add", "10.77.9.1/24", "dev", NAME);
      await right.run(..."ping -q -c 1 -W 10".split(" "), ADDRESS);
      await right.run("ip", "address", "del", "10.77.9.1/24", "dev", NAME);
      if (ends === "killed") await process[Symbol.asyncDispose]();
      else assert.equal((await process.interrupt()).code, 0);
      assert.deepEqual(await stateOf(right), state, ends);
    }
  },
);

/** What `ip` says of the interface, but for its counters and its carrier's. */
async function stateOf(space: Namespace): Promise<unknown> {
  const text = await space.run(
    ..."ip -details -json link show".split(" "),
    NAME,
  );
  const [link] = JSON.parse(text) as Record<string, unknown>[];
  delete link!["stats64"];
  return link;
}
