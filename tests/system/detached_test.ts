/** A system whose interface goes, or changes, while it runs. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import {
  INTERFACE,
  join,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
} from "../netns.ts";
import { testWith } from "../needs.ts";
import { snapshotIn, UpProcess } from "./up_process.ts";

const NEEDS = [...NETNS_NEEDS, "tool:ping"] as const;

const ADDRESS = "10.77.0.2";
const MAC = "02:53:0a:4d:00:02";

const WAITING =
  /^sallyport: xdp:veth0: the interface is gone; waiting for it to be back\n$/;

/** A manifest's file, for as long as a test runs. */
class ManifestFile implements AsyncDisposable {
  readonly #path = Deno.makeTempFile({ suffix: ".json" });

  async with(fields: Record<string, unknown>): Promise<string> {
    const manifest = {
      nic: `xdp:${INTERFACE}`,
      address: `${ADDRESS}/24`,
      services: { arp: { core: "arp" }, "icmp-echo": { core: "icmp-echo" } },
      ...fields,
    };
    await Deno.writeTextFile(await this.#path, JSON.stringify(manifest));
    return await this.#path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(await this.#path);
  }
}

/** Waits until the system answers a ping; its hardware address is known, so that no second is lost with asking. */
async function answers(space: Namespace): Promise<void> {
  const neighbour = ["ip", "neigh", "replace", ADDRESS, "lladdr", MAC];
  await space.run(...neighbour, "dev", INTERFACE);
  const ping = ["ping", "-n", "-q", "-c", "1", "-W", "0.1", ADDRESS];
  for (let tries = 0; tries < 100; tries++) {
    if ((await space.try(...ping)).code === 0) return;
  }
  throw new Error(`${ADDRESS} answers no ping`);
}

testWith(
  NEEDS,
  "an interface that is removed is waited for where the manifest says so, and its system answers again once it is back, and up",
  async () => {
    await using pair = await makeNamespacePair();
    await using file = new ManifestFile();
    const { left, right } = pair;
    const path = await file.with({ recover: true });
    await using process = new UpProcess(["--manifest", path, "--json"], {
      space: right,
    });
    await answers(left);
    await left.run("ip", "link", "delete", INTERFACE);
    await process.says(WAITING, "err");
    await join(pair);
    await answers(left);
    assert.ok("xdp" in await right.link());
    const result = await process.interrupt();
    assert.equal(result.code, 0);
    assert.equal("xdp" in await right.link(), false);
    const { nic, services, pages } = snapshotIn(result);
    assert.equal(nic.state, "running");
    assert.equal(nic.failure, "xdp:veth0: the interface is gone");
    assert.equal(pages.free, pages.total);
    // Its services lived on, and were not started again.
    assert.deepEqual(services.map(({ restarts }) => restarts), [0, 0]);
    assert.ok(services[1]!.counters["echoed"]! >= 2);
  },
);

testWith(
  NEEDS,
  "an interface that was moved to another namespace leaves without a program, and a system that waits for it can be stopped",
  async () => {
    await using pair = await makeNamespacePair();
    await using file = new ManifestFile();
    const { left, right } = pair;
    const path = await file.with({ recover: true });
    await using process = new UpProcess(["--manifest", path, "--json"], {
      space: right,
    });
    await answers(left);
    await left.run("ip", "link", "set", INTERFACE, "name", "veth1");
    await right.run("ip", "link", "set", INTERFACE, "netns", left.name);
    await process.says(WAITING, "err");
    // The program goes when the driver has closed its NIC.
    while ("xdp" in await left.link()) {
      await delay(20);
    }
    assert.equal((await left.link())["promiscuity"], 0);
    const result = await process.interrupt();
    assert.equal(result.code, 0, result.err);
    assert.equal(snapshotIn(result).nic.state, "restarting");
  },
);

testWith(
  NEEDS,
  "an interface that is back but of no use yet is tried again, and the system says why",
  async () => {
    await using pair = await makeNamespacePair();
    await using file = new ManifestFile();
    const { left, right } = pair;
    const path = await file.with({ recover: true });
    await using process = new UpProcess(
      ["--manifest", path, "--in-process"],
      { space: right },
    );
    await answers(left);
    await left.run("ip", "link", "delete", INTERFACE);
    await process.says(WAITING, "err");
    await join(pair, { mtu: 9000 });
    await process.says(
      /the driver failed: xdp:veth0: its MTU is 9000, .* mtu 3818` or less; started again in 0.1 s\n/,
      "err",
    );
    // It is tried some times: somebody may be setting the interface up.
    await right.run("ip", "link", "set", INTERFACE, "mtu", "1500");
    await answers(left);
  },
);

testWith(
  NEEDS,
  "an interface that goes down, whose far end does, or whose MTU changes is the system's still, and goes on",
  async () => {
    await using pair = await makeNamespacePair();
    await using file = new ManifestFile();
    const { left, right } = pair;
    const path = await file.with({});
    await using process = new UpProcess(["--manifest", path, "--json"], {
      space: right,
    });
    await answers(left);
    for (const space of [left, right]) {
      await space.run("ip", "link", "set", INTERFACE, "down");
      await space.run("ip", "link", "set", INTERFACE, "up");
      await answers(left);
    }
    for (const mtu of ["1400", "3000", "1500"]) {
      await right.run("ip", "link", "set", INTERFACE, "mtu", mtu);
      await answers(left);
    }
    const result = await process.interrupt();
    assert.equal(result.code, 0, result.err);
    assert.equal(result.err, "");
    const { nic, pages } = snapshotIn(result);
    assert.equal(nic.counters["interface-down"], 1);
    assert.equal(pages.free, pages.total);
  },
);
