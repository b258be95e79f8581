/** Interposers in a whole system: by manifest before confined services, and by the library. */

import { delay as sleep } from "@std/async/delay";
import assert from "node:assert/strict";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { count } from "../../services/interpose/count.ts";
import { delay } from "../../services/interpose/delay.ts";
import { drop } from "../../services/interpose/drop.ts";
import { log } from "../../services/interpose/log.ts";
import {
  DEFAULT_MANIFEST,
  defaultManifest,
} from "../../services/manifest/manifest.ts";
import type { ServiceSnapshot } from "../../services/system/snapshot.ts";
import { boot } from "../../services/system/boot.ts";
import { testWith } from "../needs.ts";
import { snapshotIn, up } from "./up_process.ts";
import { runCommand } from "../command.ts";

async function tshark(path: string, fields: string[]): Promise<string[]> {
  const args = ["-n", "-r", path, "-T", "fields", "-E", "separator=|"];
  const asked = fields.flatMap((field) => ["-e", field]);
  const said = await runCommand(["tshark", ...args, ...asked]);
  return said.split("\n").filter((line) => line);
}

/** What an interposer of a service counted. */
function counted(service: ServiceSnapshot, name: string) {
  const { counters } = service.interposers!.find((it) => it.name === name)!;
  return counters;
}

/** Packets that may be under way when a run ends. */
const UNDER_WAY = 20;

/** What is counted later on the way is as much, but for what was under way at the end. */
function follows(later: number, earlier: number): void {
  assert.ok(
    later <= earlier && later >= earlier - UNDER_WAY,
    `${later} of ${earlier}`,
  );
}

/** The usual services, ICMP echo late, and UDP echo with losses and a log. */
function posed(file: string) {
  const { services } = DEFAULT_MANIFEST;
  const late = [{ delay: { delayMs: 2 } }];
  const lossy = [
    { drop: { probability: 0.2, seed: 7 } },
    { count: {} },
    { log: { file } },
  ];
  return {
    ...DEFAULT_MANIFEST,
    services: {
      ...services,
      "icmp-echo": { core: "icmp-echo", copyBytesMax: 0, interpose: late },
      "udp-echo": { ...services["udp-echo"], interpose: lossy },
    },
  };
}

for (const place of ["worker", "process"] as const) {
  testWith(
    ["tool:tshark"],
    `services in place ${place} that a manifest interposes before run confined as ever; tshark reads the log of what they got and sent`,
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        const file = `${folder}/echo.pcapng`;
        const manifest = `${folder}/manifest.json`;
        await Deno.writeTextFile(manifest, JSON.stringify(posed(file)));
        const result = await up([
          "--manifest",
          manifest,
          "--for",
          "1s",
          "--place",
          place,
          "--json",
        ]);
        assert.equal(result.err, "");
        const snapshot = snapshotIn(result);
        const [, icmp, udp] = snapshot.services as [
          ServiceSnapshot,
          ServiceSnapshot,
          ServiceSnapshot,
        ];
        for (const { name, state, refusals } of snapshot.services) {
          assert.equal(state, "running");
          assert.deepEqual(refusals, {}, name);
        }
        assert.ok(snapshot.peer!["ping-answered"]! > 10);
        assert.equal(snapshot.peer!["wrong-answers"] ?? 0, 0);
        assert.ok(counted(icmp, "delay")["delayed"]! > 20);
        // Of a capability that the service derived itself, too.
        const [capability] = udp.capabilities;
        const passed = counted(udp, "count");
        const dropped = counted(udp, "drop");
        assert.ok(dropped["dropped"]! > 0 && dropped["dropped-sent"]! > 0);
        follows(
          passed["delivered"]! + dropped["dropped"]!,
          capability!.deliveredPackets,
        );
        follows(udp.counters["echoed"]!, passed["delivered"]!);
        follows(passed["sent"]!, udp.counters["echoed"]!);
        follows(
          capability!.sentPackets,
          passed["sent"]! - dropped["dropped-sent"]!,
        );
        assert.equal(snapshot.pages.free, snapshot.pages.total);

        const lines = await tshark(file, [
          "udp.dstport",
          "frame.packet_flags_direction",
        ]);
        const { delivered, sent } = passed;
        const into = lines.filter((line) => line.startsWith("7|"));
        follows(delivered!, into.length);
        follows(delivered! + sent!, lines.length);
        for (const line of lines) {
          assert.match(line, line.startsWith("7|") ? /0x0*1$/ : /0x0*2$/);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

Deno.test("a capability of the program's own is interposed, and closing it brings every page home", async () => {
  const system = await boot(
    defaultManifest({ services: { arp: { core: "arp" } } }),
    { confined: false },
  );
  const seen: string[] = [];
  const counting = count();
  const holding = delay({ delayMs: 20, jitterMs: 5 });
  const losing = drop({ probability: 0.5, seed: 3 });
  const receiver = await system.open(ipv4().grant, {
    sends: ipv4().grant,
    copyBytesMax: 0,
    interpose: [
      counting,
      losing,
      holding,
      log({
        write: (_frame, way) => seen.push(way) > 0,
        flush() {},
      }),
    ],
  });
  let packets = 0;
  for await (const { bytes } of receiver) {
    assert.ok(bytes.length >= 14);
    if (++packets === 30) break;
  }
  await receiver[Symbol.asyncDispose]();
  const { pages } = await system.stop();
  assert.equal(pages.free, pages.total);
  assert.ok(seen.length >= 30);
  const { delivered } = counting.tally.snapshot();
  assert.equal(
    delivered! - losing.tally.of("dropped"),
    holding.tally.of("delayed"),
  );
});

Deno.test("a program interposes before a service without its manifest's knowing", async () => {
  const counting = count();
  const losing = drop({ probability: 1 });
  const system = await boot(defaultManifest(), {
    confined: false,
    interpose: { "icmp-echo": [counting], "udp-echo": [losing] },
  });
  await sleep(300);
  const { services, peer } = await system.stop();
  const [, icmp, udp] = services;
  assert.ok(counting.tally.of("delivered") > 5);
  assert.equal(counting.tally.of("sent"), icmp!.counters["echoed"]);
  assert.ok(losing.tally.of("dropped") > 5);
  assert.deepEqual(udp!.counters["echoed"] ?? 0, 0);
  assert.equal(peer!["udp-answered"] ?? 0, 0);
});

Deno.test("a log that cannot be written is told at the start", async () => {
  const manifest = defaultManifest({
    services: {
      arp: { core: "arp", interpose: [{ log: { file: "/nowhere/x.pcap" } }] },
    },
  });
  await assert.rejects(
    boot(manifest, { confined: false }),
    /cannot write \/nowhere\/x\.pcap: there is no such folder/,
  );
});
