/** Services in the driver's thread, in whole systems: what fails of them costs nobody else anything. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { System } from "../../services/system/system.ts";
import { deliveredIn } from "./delivered.ts";
import { placed } from "./placed.ts";
import { readPicture } from "./pictured.ts";

/** Every third datagram is too much for it. */
const THROWS = `let count = 0;
  export default ((kit) => ({
    receives: () => kit.filter.grant("udp dst portrange 1024-65535"),
    sends: () => kit.filter.grant("udp src portrange 1024-65535"),
    make: () => ({
      wakeAt: Infinity,
      wake() {},
      receive() {
        if (++count % 3 === 0) throw new Error("boom");
        return "handled";
      },
      counters: () => ({ count }),
    }),
  }));`;

/** Waits until the system is as `holds` says. */
async function until(
  system: System,
  holds: (snapshot: SystemSnapshot) => boolean,
): Promise<SystemSnapshot> {
  for (;;) {
    const snapshot = await system.snapshot();
    if (holds(snapshot)) return snapshot;
    await delay(20);
  }
}

Deno.test("a module in the driver's thread that throws is started again, and no other service loses a packet", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/throws.ts`;
  await Deno.writeTextFile(path, THROWS);
  const failures: string[] = [];
  const system = await boot(
    defaultManifest({
      services: {
        arp: { core: "arp", place: "driver" },
        ping: { core: "icmp-echo", place: "driver" },
        echo: { core: "udp-echo", port: 7 },
        throws: {
          core: "module",
          path,
          receives: "udp dst portrange 1024-65535",
          sends: "udp src portrange 1024-65535",
          place: "driver",
          trusted: true,
          restart: "always",
        },
      },
    }),
    {
      confined: true,
      onRestart: ({ failure }) => failures.push(failure),
    },
  );
  await until(system, ({ services }) => services[3]!.restarts >= 3);
  const last = await system.stop();
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual([...new Set(failures)], ["boom"]);
  assert.equal(last.nic.restarts, 0);
  const { nic, pages, services, unclaimedPackets } = last;
  assert.equal(pages.free, pages.total);
  for (const { name, capabilities, restarts } of services.slice(0, 3)) {
    assert.equal(restarts, 0, name);
    for (const { drops, deliveredPackets, sentPackets } of capabilities) {
      assert.deepEqual(drops, {}, name);
      assert.equal(sentPackets, deliveredPackets, name);
    }
  }
  const nobodyThere = services[3]!.capabilities
    .reduce((sum, { drops }) => sum + (drops["no-core"] ?? 0), 0);
  const delivered = services.reduce((sum, one) => sum + deliveredIn(one), 0);
  assert.equal(delivered + nobodyThere + unclaimedPackets, nic.receivedPackets);
  assert.ok(deliveredIn(last.services[3]!) >= 9);
});

for (const confined of [false, true]) {
  const how = confined ? "in confined workers" : "in one process";

  Deno.test(`what is interposed before a service in the driver's thread sees its packets, ${how}`, async () => {
    const system = await boot(
      defaultManifest({
        services: {
          arp: { core: "arp", place: "driver" },
          ping: {
            core: "icmp-echo",
            place: "driver",
            interpose: [{ count: {} }],
          },
        },
      }),
      { confined },
    );
    const { services } = await until(
      system,
      ({ services }) => (services[1]!.counters["echoed"] ?? 0) > 20,
    );
    const { channels, parts } = readPicture(await system.picture());
    await system.stop();
    assert.deepEqual(services.map(({ place }) => place), ["driver", "driver"]);
    const [counting] = services[1]!.interposers!;
    assert.ok(counting!.counters["delivered"]! > 20);
    assert.match(parts.get("service ping")!, /; the driver's own thread$/);
    const ends = channels.filter((line) => line.includes(", port 1 -- "));
    assert.ok(ends.includes("driver service -- calls, port 1 -- service arp"));
    assert.ok(
      channels.some((line) =>
        line ===
          "driver service -- data, port 2 -- interposer 1 of service ping: count"
      ),
      channels.join("\n"),
    );
  });
}

for (const confined of [false, true]) {
  const how = confined ? "in confined workers" : "in one process";

  Deno.test(`a service moves into the driver's thread and out of it, goes on, and costs the others nothing, ${how}`, async () => {
    const system = await boot(
      defaultManifest({
        services: {
          arp: { core: "arp", place: "driver" },
          ping: { core: "icmp-echo" },
          echo: { core: "udp-echo", port: 7 },
        },
      }),
      { confined },
    );
    let echoed = 0;
    for (const place of ["driver", "worker", "driver"] as const) {
      await system.move("ping", place);
      const { services } = await until(
        system,
        ({ services }) => (services[1]!.counters["echoed"] ?? 0) > echoed + 5,
      );
      const there = place === "worker" && !confined ? "here" : place;
      assert.equal(services[1]!.place, there);
      echoed = services[1]!.counters["echoed"]!;
    }
    await assert.rejects(
      system.move("nobody", "worker"),
      /move: there is no service "nobody"/,
    );
    await assert.rejects(
      system.move("ping", "process"),
      /move: service ping: expected the place of a service/,
    );
    const { services, pages, nic } = await system.stop();
    assert.equal(nic.restarts, 0);
    assert.equal(pages.lent, 0);
    for (const { name, restarts, capabilities } of services) {
      assert.equal(restarts, 0, name);
      if (name === "ping") continue;
      for (const { drops } of capabilities) assert.deepEqual(drops, {}, name);
    }
  });
}

Deno.test("a worker of the caller's own NIC has no services in its thread, and boot says so", async () => {
  await assert.rejects(
    boot(placed("driver"), {
      confined: true,
      nic: { worker: new URL("data:,") },
    }),
    /service arp has "place": "driver", and the worker of a NIC of your own/,
  );
});
