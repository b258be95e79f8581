/** The command line on the emulated NIC, as a process of its own. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { DEFAULT_MANIFEST } from "../../services/manifest/manifest.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { testWith } from "../needs.ts";
import { snapshotIn, up, UpProcess } from "./up_process.ts";

/** Questions that may be under way, unanswered, when a run ends. */
const UNDER_WAY = 20;

/** Checks that every question of the peer's was answered, and every page was returned. */
function checkSound(snapshot: SystemSnapshot): void {
  const peer = snapshot.peer!;
  const of = (name: string) => peer[name] ?? 0;
  for (const what of ["ping", "udp"]) {
    const sent = of(`${what}-sent`);
    const answered = of(`${what}-answered`);
    assert.ok(sent > UNDER_WAY, `${what}: ${sent} sent`);
    assert.ok(
      answered <= sent && answered >= sent - UNDER_WAY,
      `${what}: ${answered} of ${sent} answered`,
    );
  }
  assert.equal(of("wrong-answers"), 0);
  assert.equal(of("arp-resolved"), 1);
  const { pages } = snapshot;
  assert.equal(pages.free, pages.total, JSON.stringify(pages));
  assert.deepEqual(
    snapshot.services.map(({ name, state }) => [name, state]),
    [["arp", "running"], ["icmp-echo", "running"], ["udp-echo", "running"]],
  );
  for (const { name, capabilities, counters, refusals } of snapshot.services) {
    assert.deepEqual(refusals, {}, name);
    const drops = Object.keys(counters).filter((key) => key.startsWith("drop"));
    assert.deepEqual(drops, [], name);
    assert.equal(capabilities.length, 1, name);
    const [capability] = capabilities;
    assert.deepEqual(capability!.drops, {}, name);
    assert.ok(capability!.deliveredPackets > 0, name);
    assert.equal(capability!.sentPackets, capability!.deliveredPackets, name);
  }
}

/** Checks that each packet is somewhere: with a service, or counted as unclaimed. */
function checkAccounts(snapshot: SystemSnapshot): void {
  let delivered = 0;
  let dropped = 0;
  for (const { capabilities } of snapshot.services) {
    for (const { deliveredPackets, drops } of capabilities) {
      delivered += deliveredPackets;
      dropped += (drops["no-page"] ?? 0) + (drops["no-string"] ?? 0);
    }
  }
  assert.equal(
    delivered + dropped + snapshot.unclaimedPackets,
    snapshot.nic.receivedPackets,
  );
}

/** The usual services, each trusted. */
function trusting(): object {
  const services = Object.entries(DEFAULT_MANIFEST.services);
  return {
    ...DEFAULT_MANIFEST,
    services: Object.fromEntries(
      services.map(([name, service]) => [name, { ...service, trusted: true }]),
    ),
  };
}

for (const mode of [[], ["--in-process"]]) {
  const how = mode.length === 0 ? "in confined workers" : "in one process";

  Deno.test(`--json prints one object: every question answered, no page lost, nothing dropped, ${how}`, async () => {
    const result = await up(["--for", "2s", "--json", ...mode]);
    assert.equal(result.err, "");
    assert.equal(result.code, 0);
    const snapshot = snapshotIn(result);
    checkSound(snapshot);
    checkAccounts(snapshot);
    const place = mode.length === 0 ? "worker" : "here";
    for (const service of snapshot.services) {
      assert.equal(service.place, place, service.name);
    }
    assert.ok(snapshot.uptimeMs >= 1990, String(snapshot.uptimeMs));
    assert.equal(snapshot.nic.mac, "02:53:0a:4d:00:02");
  });

  Deno.test(`services that are trusted with packet memory answer every question, and every page comes back, ${how}`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(trusting()));
      const result = await up([
        ...["--manifest", file, "--for", "1s", "--json", ...mode],
      ]);
      assert.equal(result.err, "");
      const snapshot = snapshotIn(result);
      checkSound(snapshot);
      checkAccounts(snapshot);
    } finally {
      await Deno.remove(file);
    }
  });

  for (
    const [place, who] of [
      ["driver", "that the driver calls"],
      ["process", "in processes that the system has started"],
    ] as const
  ) {
    Deno.test(`services ${who} answer every question, and every page comes back, ${how}`, async () => {
      const result = await up([
        ...["--place", place, "--for", "1s", "--json", ...mode],
      ]);
      assert.equal(result.err, "");
      const snapshot = snapshotIn(result);
      checkSound(snapshot);
      checkAccounts(snapshot);
      for (const service of snapshot.services) {
        assert.equal(service.place, place, service.name);
      }
    });
  }

  Deno.test(`as fast as the peer can, every packet is accounted for and every page comes back, ${how}`, async () => {
    const result = await up([
      ...["--for", "1s", "--json", "--pace", "at-once"],
      ...["--seed", "7", ...mode],
    ]);
    assert.equal(result.err, "");
    const snapshot = snapshotIn(result);
    checkAccounts(snapshot);
    const { pages, peer } = snapshot;
    assert.equal(pages.free, pages.total, JSON.stringify(pages));
    assert.equal(peer!["wrong-answers"] ?? 0, 0);
    assert.ok(peer!["ping-answered"]! > 100);
    for (const { name, state, refusals } of snapshot.services) {
      assert.equal(state, "running", name);
      assert.deepEqual(refusals, {}, name);
    }
  });

  Deno.test(`without a terminal there are plain lines: what came up, what changed, the summary, ${how}`, async () => {
    const { code, out, err } = await up(["--for", "1500ms", ...mode]);
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.match(
      out,
      /^up on emulated \(.*\) as 10\.77\.0\.2\/24, 02:53:0a:4d:00:02; services: arp, icmp-echo, udp-echo\n1\.\d s: in \+.*\nran 1\.\d s on emulated: /,
    );
    assert.match(
      out,
      /\npages: 4,368 in all: 4,368 free, 0 lent, 0 in flight, 0 quarantined\npeer: 1 ARP request sent, 1 answered; .*\n$/,
    );
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f]/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    testWith(
      ["linux"],
      `${signal} ends it with the summary, and with status 0, ${how}`,
      async () => {
        await using process = new UpProcess(mode);
        await process.says(/up on emulated/);
        process.child.kill(signal);
        const { code, out, err } = await process.end();
        assert.equal(err, "");
        assert.equal(code, 0);
        assert.match(out, /\nran \d\.\d s on emulated(.*\n)*peer: /);
      },
    );
  }
}

testWith(
  ["linux"],
  "an interrupt while it starts ends it all the same, and no process is left",
  async () => {
    for (const delayMs of [0, 60, 120, 240]) {
      const mark = `--seed=${1000 + delayMs}`;
      await using process = new UpProcess([mark]);
      await delay(delayMs);
      process.child.kill("SIGINT");
      const { err } = await process.end();
      assert.equal(err, "");
      assert.deepEqual(processesWith(mark), []);
    }
  },
);

/** Processes with this word on their command line. */
function processesWith(word: string): string[] {
  return [...Deno.readDirSync("/proc")]
    .map(({ name }) => name)
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(word);
      } catch {
        return false; // it has ended meanwhile
      }
    });
}
