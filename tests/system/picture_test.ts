/** The picture of a system is what is wired: held against snapshots, channels and workers. */

import assert from "node:assert/strict";
import type { ServiceStart } from "../../services/core/messages.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { count } from "../../services/interpose/count.ts";
import { delay } from "../../services/interpose/delay.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot, PARTS } from "../../services/system/boot.ts";
import type { Parts } from "../../services/system/parts.ts";
import { RunningSystem } from "../../services/system/running.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { System } from "../../services/system/system.ts";
import { testWith } from "../needs.ts";
import { partsWith } from "./crashing_parts.ts";
import {
  drawn,
  type Pictured,
  portsOf,
  readPicture,
  watchAttached,
  watchWorkers,
} from "./pictured.ts";

const MANIFEST = defaultManifest({
  services: {
    "arp": { core: "arp" },
    "ping": { core: "icmp-echo", interpose: [{ drop: { probability: 0 } }] },
    "udp-echo": { core: "udp-echo", port: 7, trusted: true },
  },
});

async function pictureOf(system: System): Promise<Pictured> {
  return readPicture(await system.picture());
}

/** The services of a snapshot are those of the picture, with their states and what they hold. */
function checkAgainst(pictured: Pictured, snapshot: SystemSnapshot): void {
  const services = [...pictured.parts].filter(([name]) =>
    name.startsWith("service ")
  );
  assert.deepEqual(
    services.map(([name, words]) => [name, words.split("; ")[0]]),
    snapshot.services.map(({ name, state }) => [`service ${name}`, state]),
  );
  for (const { name, capabilities } of snapshot.services) {
    for (const { label, filter, quotaPages } of capabilities) {
      if (label.endsWith("#ended")) continue;
      assert.ok(
        pictured.capabilities.some((line) =>
          line.includes(` of service ${name}, port `) &&
          line.endsWith(`; ${quotaPages} pages: ${filter}`)
        ),
        `${label}: ${filter}`,
      );
    }
  }
}

for (const confined of [false, true]) {
  const how = confined ? "in confined workers" : "in one process";

  Deno.test(`a picture shows every holder, port, permission and capability that is there, ${how}`, async () => {
    using attached = watchAttached();
    using workers = watchWorkers();
    const system = await boot(MANIFEST, {
      confined,
      interpose: { arp: [count()] },
    });
    const grant = ipv4().udp().dstPort(1024, 65535).grant;
    const interpose = [delay({ delayMs: 1 }), count()];
    await using _owner = await system.open(grant, { interpose });
    const observer = await system.open(grant, { observe: true });
    await using _trusted = await system.open(
      ipv4().udp().dstPort(53).grant,
      { trusted: true },
    );
    const pictured = await pictureOf(system);
    checkAgainst(pictured, await system.snapshot());
    const holders = [
      ...["service arp", "service ping", "service udp-echo"],
      ...["receiver 1", "receiver 2", "receiver 3"],
    ];
    assert.deepEqual(
      holders.map((name) => portsOf(pictured, name).data),
      attached.data.map((port) => [port]),
    );
    assert.deepEqual(
      ["system", ...holders].map((name) => portsOf(pictured, name).requests),
      attached.requests.map((port) => [port]),
    );
    checkInterposers(pictured);
    checkPlaces(pictured, workers.permissions, confined);
    assert.deepEqual(
      pictured.channels.filter((line) => line.endsWith("-- packet memory")),
      [
        "driver service -- pages -- packet memory",
        "service udp-echo -- pages, port 3 -- packet memory",
        "receiver 3 -- pages, port 6 -- packet memory",
      ],
    );

    await observer[Symbol.asyncDispose]();
    const after = await pictureOf(system);
    assert.equal(after.parts.has("receiver 2"), false);
    assert.deepEqual(portsOf(after, "receiver 2"), { data: [], requests: [] });
    assert.ok(!after.capabilities.some((line) => line.includes("receiver 2")));

    await system.stop();
    const stopped = await pictureOf(system);
    assert.deepEqual([stopped.channels, stopped.capabilities], [[], []]);
  });
}

function checkInterposers({ channels, parts }: Pictured): void {
  const chains = [
    ["service arp", "count"],
    ["service ping", "drop"],
    ["receiver 1", "delay", "count"],
  ];
  const expected = chains.flatMap(([holder, ...names]) => {
    const stations = [
      "driver service",
      ...names.map((name, i) => `interposer ${i + 1} of ${holder}: ${name}`),
      holder!,
    ];
    return stations.slice(1).map((to, i) => [stations[i], to]);
  });
  const found = channels.map((line) => line.split(" -- "))
    .filter(([from, , to]) => `${from} ${to}`.includes("interposer"))
    .map(([from, , to]) => [from, to]);
  assert.deepEqual(found, expected);
  assert.equal(
    [...parts.keys()].filter((name) => name.startsWith("interposer")).length,
    4,
  );
}

/** Each worker is in the picture, with what it was started with; and nothing else is a worker. */
function checkPlaces(
  { parts }: Pictured,
  permissions: readonly unknown[],
  confined: boolean,
): void {
  const shown = [...parts.values()].filter((words) => words.includes("worker"));
  const none = permissions.filter((one) => one === "none").length;
  assert.equal(shown.length, permissions.length);
  assert.equal(
    shown.filter((words) => words.includes("worker, no permissions")).length,
    none,
  );
  assert.equal(parts.has("nursery"), confined);
  if (!confined) return;
  assert.deepEqual(permissions.filter((one) => one !== "none"), [
    { read: "inherit", import: "inherit" },
  ]);
  assert.equal(
    parts.get("nursery"),
    "worker, read as the program had it, import as the program had it",
  );
}

Deno.test("after the NIC was started again, a picture shows the new ports and capabilities; in between, no channel to it", async () => {
  using attached = watchAttached();
  const restarting = Promise.withResolvers<void>();
  let lives = 0;
  const parts: Parts = {
    ...PARTS,
    nic: (manifest) =>
      (lives++ === 0 ? partsWith("throws", 60) : PARTS).nic(manifest),
  };
  const system = new RunningSystem(defaultManifest(), parts, {
    confined: false,
    paused: true,
    onRestart: () => restarting.resolve(),
  });
  await system.start();
  await using _receiver = await system.open(
    ipv4().udp().dstPort(1024, 65535).grant,
  );
  const before = await pictureOf(system);
  const firstPorts = attached.data.splice(0);
  attached.requests.length = 0;
  const holders = [
    ...["service arp", "service icmp-echo", "service udp-echo", "receiver 1"],
  ];
  const ports = (pictured: Pictured) =>
    holders.flatMap((name) => portsOf(pictured, name).data);
  assert.deepEqual(ports(before), firstPorts);

  system.receive();
  await restarting.promise;
  const between = await pictureOf(system);
  assert.equal(between.parts.get("NIC"), "restarting");
  assert.deepEqual([between.capabilities, ports(between)], [[], []]);
  assert.deepEqual(
    between.channels.filter((line) => !line.startsWith("system -- control")),
    [],
  );

  let after = between;
  while (ports(after).length < holders.length) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    after = await pictureOf(system);
  }
  const again = attached.data.filter((port) => ports(after).includes(port));
  assert.deepEqual(again.toSorted(), ports(after).toSorted());
  assert.ok(ports(after).every((port) => port > Math.max(...firstPorts)));
  const { capabilities } = after;
  for (const port of ports(after)) {
    assert.ok(capabilities.some((line) => line.includes(`, port ${port}: `)));
  }
  await system.stop();
});

/** The usual parts, and what has the udp-echo service fail. */
function failingParts(): { readonly parts: Parts; readonly fail: () => void } {
  let control: MessagePort | undefined;
  const udpEcho = PARTS.services["udp-echo"]!;
  const here = (start: ServiceStart) => {
    control = start.control;
    udpEcho.here(start);
  };
  return {
    parts: {
      ...PARTS,
      services: { ...PARTS.services, "udp-echo": { ...udpEcho, here } },
    },
    fail: () => control!.postMessage({ kind: "failed", message: "on purpose" }),
  };
}

for (const restart of ["never", "always"] as const) {
  const what = restart === "never"
    ? "is not started again has no channel in a picture any more"
    : "was started again has another port in a picture";

  Deno.test(`a service that failed and ${what}`, async () => {
    const { parts, fail } = failingParts();
    const manifest = defaultManifest({
      services: { "udp-echo": { core: "udp-echo", restart } },
    });
    const system = new RunningSystem(manifest, parts, { confined: false });
    await system.start();
    const name = "service udp-echo";
    const before = portsOf(await pictureOf(system), name);
    fail();
    const end = restart === "never" ? "failed" : "running";
    let after = await pictureOf(system);
    // The driver disconnects a holder some turns after it is told to.
    while (
      !after.parts.get(name)!.startsWith(end) ||
      portsOf(after, name).data.includes(before.data[0]!)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      after = await pictureOf(system);
    }
    const { data, requests } = portsOf(after, name);
    assert.deepEqual(requests, data);
    assert.equal(data.length, restart === "never" ? 0 : 1);
    assert.deepEqual(
      after.capabilities.filter((line) => line.includes(name))
        .map((line) => Number(/, port (\d+): /.exec(line)![1])),
      data.flatMap((port) => [port, port]), // an envelope and what is in it
    );
    checkAgainst(after, await system.snapshot());
    await system.stop();
  });
}

testWith(
  ["tool:dot"],
  "Graphviz draws the same parts and channels as the text says",
  async () => {
    const system = await boot(MANIFEST, { confined: false });
    await using _receiver = await system.open(
      ipv4().udp().dstPort(1024, 65535).grant,
      { interpose: [count()] },
    );
    const { parts, channels, capabilities } = await pictureOf(system);
    const { nodes, edges } = await drawn(
      await system.picture({ format: "dot" }),
    );
    const isNote = (name: string) => name.startsWith("capability ");
    assert.deepEqual(nodes.filter((name) => !isNote(name)), [...parts.keys()]);
    assert.equal(nodes.filter(isNote).length, capabilities.length);
    assert.deepEqual(
      edges.filter((ends) => !ends.some(isNote)).map(String).toSorted(),
      channels.map((line) => line.split(" -- "))
        .map(([from, , to]) => `${from},${to}`).toSorted(),
    );
    // Its holder's, and but for the root that from its parent.
    assert.equal(
      edges.filter(([, to]) => isNote(to!)).length,
      2 * capabilities.length - 1,
    );
    await system.stop();
  },
);
