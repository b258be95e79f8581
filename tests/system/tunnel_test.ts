/** A system behind a tunnel, as a user runs it: a process of its own, without root. */

import { match, ok, strictEqual } from "node:assert/strict";
import { openSocket } from "../../drivers/tunnel/socket.ts";
import { readKeyFile } from "../../drivers/tunnel/key_file.ts";
import { Secret } from "../../drivers/tunnel/secret.ts";
import { openTunnel } from "../../drivers/tunnel/tunnel.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { makePeer } from "../../services/peer/core.ts";
import { LinkRunner } from "../../services/peer/runner.ts";
import { freePort, until } from "../drivers/tunnel/rig.ts";
import { snapshotIn, up, UpProcess } from "./up_process.ts";

/** A key in a folder of its own. */
function keyFile() {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/link.key`;
  Deno.writeFileSync(path, crypto.getRandomValues(new Uint8Array(32)), {
    mode: 0o600,
  });
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** The tunnel's other end, with a host on it that asks 10.77.0.2 for echoes. */
async function asker(local: number, peer: number, key: string) {
  const hostname = "127.0.0.1";
  const tunnel = openTunnel({
    secret: await Secret.of(readKeyFile(key)),
    socket: openSocket({ hostname, port: local }, { hostname, port: peer }),
    retryMs: 50,
  });
  const core = makePeer({
    mac: Uint8Array.of(2, 0, 0, 0, 9, 1),
    address: 0x0a4d0001,
    target: 0x0a4d0002,
    seed: 3,
    pingIntervalUs: 2000,
    udpIntervalUs: 2000,
  });
  const runner = new LinkRunner(core, tunnel, makeRealClock());
  return {
    tunnel,
    answers: () => {
      const counters = runner.counters();
      return Math.min(counters["ping-answered"]!, counters["udp-answered"]!);
    },
    wrong: () => runner.counters()["wrong-answers"] ?? 0,
    [Symbol.dispose]: () => runner[Symbol.dispose](),
  };
}

Deno.test("pings and datagrams are answered through a tunnel, under a flood, and after a kill -9", async () => {
  const [mine, theirs, other] = [freePort(), freePort(), freePort()];
  using key = keyFile();
  const nic = `udp:127.0.0.1:${theirs},127.0.0.1:${mine},key=${key.path}`;
  using host = await asker(mine, theirs, key.path);
  {
    await using process = new UpProcess(["--nic", nic, "--json"]);
    await until(() => host.answers() > 50, "answers");
    using stranger = openSocket(
      { hostname: "127.0.0.1", port: other },
      { hostname: "127.0.0.1", port: theirs },
    );
    for (let i = 0; i < 500; i++) await stranger.send(new Uint8Array(64));
    const before = host.answers();
    await until(() => host.answers() > before + 50, "answers after a flood");
    process.child.kill("SIGKILL");
    await process.end();
  }
  const before = host.answers();
  await using process = new UpProcess(["--nic", nic, "--json"]);
  await until(() => host.answers() > before + 50, "answers after a restart");
  strictEqual(host.wrong(), 0);
  const result = await process.interrupt();
  strictEqual(result.err, "");
  const { nic: counts, pages } = snapshotIn(result);
  strictEqual(
    `${counts.name},key=${key.path}`,
    nic,
  );
  ok(counts.counters["sessions"]! >= 1);
  strictEqual(pages.free, pages.total);
});

Deno.test("a tunnel does not run without its key, or on a port that is taken: one line says why", async () => {
  const port = freePort();
  using taken = openSocket(
    { hostname: "127.0.0.1", port },
    { hostname: "127.0.0.1", port: 9 },
  );
  using key = keyFile();
  const nic = (path: string) => `udp:127.0.0.1:${port},127.0.0.1:9,key=${path}`;
  const cases: [string, RegExp][] = [
    [nic("/nowhere/key"), /the key file \/nowhere\/key: there is none; /],
    [nic(key.path), /cannot receive at 127\.0\.0\.1:\d+: the port is taken; /],
  ];
  for (const [nic, why] of cases) {
    const { code, out, err } = await up(["--nic", nic]);
    strictEqual(out, "");
    match(err, /^sallyport: udp: [^\n]*\n$/);
    match(err, why);
    strictEqual(code, 1);
  }
  taken[Symbol.dispose]();
});
