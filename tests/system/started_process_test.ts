/** Services in processes that the system starts itself, since no driver does: on the emulated NIC. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import type { PacketMemory } from "../../caps/memory/memory.ts";
import { openEmulated } from "../../drivers/emulated/driver.ts";
import { makeWire } from "../../drivers/emulated/wire.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import { lives, servicesOf, type Shown } from "./service_processes.ts";
import { snapshotIn, up, UpProcess } from "./up_process.ts";

const ARGS = ["--place", "process", "--json"];

/** The processes of the three services, once they are there. */
async function started(process: UpProcess): Promise<Shown[]> {
  for (;;) {
    const running = (await servicesOf(process))
      .filter(({ line }) => line.includes("/process/main.ts"));
    if (running.length === 3) return running;
    await delay(20);
  }
}

Deno.test("processes that the system starts may do nothing, and none is left when it stops", async () => {
  await using process = new UpProcess(ARGS);
  const running = await started(process);
  for (const { line } of running) assert.doesNotMatch(line, /--allow/);
  await delay(500);
  const result = await process.interrupt();
  assert.equal(result.err, "");
  const { pages } = snapshotIn(result);
  assert.equal(pages.free, pages.total, JSON.stringify(pages));
  for (const one of running) while (await lives(one)) await delay(20);
});

Deno.test("a process that is killed is another one soon, started by the nursery, and no page is left behind", async () => {
  await using process = new UpProcess(["--place", "process"]);
  await process.says(/up on emulated/);
  const before = await started(process);
  const ping = before.find(({ line }) => line.includes("icmp-echo"))!;
  Deno.kill(Number(ping.pid), "SIGKILL");
  await process.says(
    /service icmp-echo failed: its process was ended by signal SIGKILL; started again in 0.1 s/,
    "err",
  );
  const after = await started(process);
  assert.equal(after.some(({ pid }) => pid === ping.pid), false);
  // What is stopped never sees that its input has ended.
  for (const { pid } of after) Deno.kill(Number(pid), "SIGSTOP");
  const { out } = await process.interrupt();
  assert.match(out, /pages: 4,368 in all: 4,368 free/);
  for (const one of after) while (await lives(one)) await delay(20);
});

Deno.test("when the system itself is killed, so are processes that read their input", async () => {
  await using process = new UpProcess(ARGS);
  const running = await started(process);
  process.child.kill("SIGKILL");
  await process.child.status;
  for (const one of running) while (await lives(one)) await delay(20);
});

Deno.test("where nobody can start a process, a system with one is refused in words", async () => {
  // What `deno` is not found may not be run.
  const env = { PATH: "/nowhere" };
  const { code, err } = await up([...ARGS, "--for", "1ms"], { env });
  assert.equal(code, 1);
  assert.match(
    err,
    /service arp: a NIC of kind emulated starts no process, and this program may not run Deno to start one; run it with --allow-run=\S+deno, or give the service another place/,
  );
});

Deno.test("services in processes run on a NIC of the program's own, trusted or not", async () => {
  const manifest = defaultManifest({
    services: {
      arp: { core: "arp", trusted: true },
      "icmp-echo": { core: "icmp-echo" },
    },
  });
  const [end] = makeWire();
  const open = (memory: PacketMemory) =>
    openEmulated({ memory, mac: manifest.mac, end });
  const system = await boot(manifest, { confined: "process", nic: { open } });
  const { services } = await system.snapshot();
  await assert.rejects(system.move("arp", "worker"), /there are no workers/);
  const last = await system.stop();
  for (const { name, state, place } of services) {
    assert.deepEqual([state, place], ["running", "process"], name);
  }
  assert.equal(last.pages.free, last.pages.total);
});
