/** A whole system on a veth, beside a kernel, with the kernel on the far side as its judge. */

import assert from "node:assert/strict";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
  stateOf,
} from "../netns.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { testWith } from "../needs.ts";
import { ADDRESS, answers, CRASH, datagrams, ping } from "./far_kernel.ts";
import { linesOf } from "../lines.ts";
import { processesIn, snapshotIn, UpProcess } from "./up_process.ts";
import { runCommand } from "../command.ts";

const NEEDS = [...NETNS_NEEDS, "tool:ping"] as const;

const MAC = "02:53:0a:4d:00:02";
const NIC = ["--nic", `xdp:${INTERFACE}`, "--address", `${ADDRESS}/24`];

const COVER = new URL("./cover_process.ts", import.meta.url).pathname;

/** The hardware address that a kernel has learnt for `address`. */
async function neighbour(
  space: Namespace,
  address: string,
): Promise<string | undefined> {
  const text = await space.run("ip", "-json", "neigh", "show", address);
  return (JSON.parse(text) as { lladdr?: string }[])[0]?.lladdr;
}

/** What crosses the interface of a namespace while `body` runs, as a file for tshark. */
async function capture(
  space: Namespace,
  path: string,
  body: () => Promise<void>,
): Promise<void> {
  const command = ["tcpdump", "-i", INTERFACE, "--immediate-mode", "-U"];
  command.push("-Z", "root", "-w", path);
  const tcpdump = space.spawn(command, { stdout: "null", stderr: "piped" });
  const said = tcpdump.stderr.pipeThrough(new TextDecoderStream());
  const reader = said.getReader();
  try {
    let text = "";
    while (!text.includes("listening on")) {
      const { value, done } = await reader.read();
      assert.ok(!done, `tcpdump ended: ${text}`);
      text += value;
    }
    await body();
  } finally {
    tcpdump.kill("SIGINT");
    await tcpdump.status;
    await reader.cancel();
  }
}

/** How many frames of a capture match a display filter, checksums verified. */
async function count(path: string, filter: string): Promise<number> {
  const verify = ["ip", "udp"].flatMap((protocol) => [
    "-o",
    `${protocol}.check_checksum:TRUE`,
  ]);
  const words = ["tshark", "-n", "-r", path, ...verify, "-Y", filter];
  const said = await runCommand(words);
  return said.split("\n").length - 1;
}

for (const offload of ["on", "off"]) {
  testWith(
    [...NEEDS, "tool:tcpdump", "tool:tshark"],
    `the kernel on the far side gets 100 of 100 pings and 1,000 of 1,000 datagrams, intact, beside the kernel's own traffic (tx offload ${offload})`,
    async () => {
      await using pair = await makeNamespacePair();
      const { left, right } = pair;
      for (const space of [left, right]) {
        await space.run("ethtool", "-K", INTERFACE, "tx", offload);
      }
      const before = await stateOf(right);
      const path = await Deno.makeTempFile({ suffix: ".pcap" });
      await using process = new UpProcess([...NIC, "--json"], { space: right });
      await using _file = { [Symbol.asyncDispose]: () => Deno.remove(path) };
      await answers(left, ADDRESS);

      await capture(left, path, async () => {
        const [ours, kernels, echoes] = await Promise.all([
          ping(left, ADDRESS, 100),
          ping(left, RIGHT_ADDRESS, 100),
          datagrams(left, 1000),
        ]);
        assert.match(ours, /100 packets transmitted, 100 received/);
        assert.match(kernels, /100 packets transmitted, 100 received/);
        assert.deepEqual(echoes, { sent: 1000, intact: 1000 });
      });
      assert.equal(await neighbour(left, ADDRESS), MAC);
      assert.equal(await neighbour(left, RIGHT_ADDRESS), before["address"]);

      const result = await process.interrupt();
      assert.equal(result.err, "");
      assert.equal(result.code, 0);
      checkCounts(snapshotIn(result));
      assert.deepEqual(await stateOf(right), before);

      // The last ones may not have reached the file when tcpdump was ended.
      const ours = await count(path, `eth.src == ${MAC}`);
      assert.ok(ours >= 1000, `${ours} frames captured`);
      // What a kernel leaves to hardware is not right yet where it is captured.
      const partial = await count(
        path,
        `eth.dst == ${MAC} && udp.checksum.status == "Bad"`,
      );
      assert.equal(
        partial > 0,
        offload === "on",
        `${partial} left to hardware`,
      );
      for (const protocol of ["ip", "udp", "icmp"]) {
        const bad = `${protocol}.checksum.status == "Bad"`;
        assert.equal(
          await count(path, `eth.src == ${MAC} && ${bad}`),
          0,
          `${protocol} checksums from us`,
        );
      }
    },
  );
}

function checkCounts(snapshot: ReturnType<typeof snapshotIn>): void {
  const { services, pages, nic } = snapshot;
  assert.equal(nic.name, `xdp:${INTERFACE}`);
  assert.equal(pages.free, pages.total, JSON.stringify(pages));
  const by = new Map(services.map((service) => [service.name, service]));
  assert.ok(by.get("icmp-echo")!.counters["echoed"]! >= 101);
  assert.equal(by.get("udp-echo")!.counters["echoed"], 1000);
  assert.ok(by.get("arp")!.counters["answered"]! >= 1);
  for (const { name, state, capabilities, refusals } of services) {
    assert.equal(state, "running", name);
    assert.deepEqual(refusals, {}, name);
    for (const { drops } of capabilities) assert.deepEqual(drops, {}, name);
  }
}

testWith(
  NEEDS,
  "kill -9 of the whole system leaves the interface as it was, and it can be had again at once",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const before = await stateOf(right);
    for (let round = 0; round < 2; round++) {
      await using process = new UpProcess(NIC, { space: right });
      await process.says(/up on xdp:veth0/);
      await answers(left, ADDRESS);
      const during = await stateOf(right);
      assert.ok("xdp" in during);
      assert.equal(during["promiscuity"], 1);
      process.child.kill("SIGKILL");
      await process.end();
      assert.deepEqual(await stateOf(right), before);
    }
    assert.deepEqual(await processesIn(right), []);
  },
);

testWith(
  NEEDS,
  "a run whose interface is removed ends with the summary, says so, and fails",
  async () => {
    await using pair = await makeNamespacePair();
    await using process = new UpProcess(NIC, { space: pair.right });
    await process.says(/up on xdp:veth0/);
    await answers(pair.left, ADDRESS);
    await pair.left.run("ip", "link", "delete", INTERFACE);
    const { code, out, err } = await process.end();
    assert.equal(err, "sallyport: xdp:veth0: the interface is gone\n");
    assert.equal(code, 1);
    assert.match(out, /\nran \d+\.\d s on xdp:veth0/);
  },
);

testWith(
  NEEDS,
  "with --unclaimed drop the kernel's own address does not answer, and with kernel it does",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    await left.run("ping", "-n", "-q", "-c", "1", RIGHT_ADDRESS);
    for (const unclaimed of ["drop", "kernel"]) {
      await using process = new UpProcess([...NIC, "--unclaimed", unclaimed], {
        space: right,
      });
      await process.says(/up on xdp:veth0/);
      await answers(left, ADDRESS);
      const args = ["-n", "-q", "-c", "3", "-i", "0.05", "-W", "0.3"];
      const { stdout } = await left.try("ping", ...args, RIGHT_ADDRESS);
      const expected = unclaimed === "drop" ? 0 : 3;
      assert.match(
        stdout,
        new RegExp(`3 packets transmitted, ${expected} rec`),
      );
      const { code, err } = await process.interrupt();
      assert.equal(err, "");
      assert.equal(code, 0);
    }
  },
);

testWith(
  NEEDS,
  "what is more than a kernel program holds is classified in packet memory, which the system says, beside the kernel's own traffic",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const args = ["run", "-A", "--quiet", COVER, `xdp:${INTERFACE}`];
    const child = right.spawn(
      [Deno.execPath(), ...args, `${ADDRESS}/24`],
      { stdin: "piped", stdout: "piped", stderr: "inherit" },
    );
    const lines = linesOf(child.stdout);
    const snapshot = async () =>
      JSON.parse((await lines.next()).value!) as SystemSnapshot;
    const before = await snapshot();
    await answers(left, ADDRESS);
    const [ours, kernels, echoes] = await Promise.all([
      ping(left, ADDRESS, 100),
      ping(left, RIGHT_ADDRESS, 100),
      datagrams(left, 1000),
    ]);
    assert.match(ours, /100 packets transmitted, 100 received/);
    assert.match(kernels, /100 packets transmitted, 100 received/);
    assert.deepEqual(echoes, { sent: 1000, intact: 1000 });
    await child.stdin.close();
    const after = await snapshot();
    // Once its holders are terminated, what is left may go into a program again.
    checkCounts(await snapshot());
    assert.ok((await child.status).success);
    const said = /; classified in packet memory: .*(kernel program|verifier)/;
    assert.match(before.nic.mode, said);
    assert.match(after.nic.mode, said);
  },
);

/** A system in `space` whose driver dies, and what it says. */
function crashingIn(
  space: Namespace,
  times: "once" | "again",
): { readonly child: Deno.ChildProcess; says(start: string): Promise<string> } {
  const args = ["run", "-A", "--quiet", CRASH, `xdp:${INTERFACE}`];
  const child = space.spawn(
    [Deno.execPath(), ...args, `${ADDRESS}/24`, times],
    { stdin: "piped", stdout: "piped", stderr: "null" },
  );
  const lines = linesOf(
    child.stdout as ReadableStream<Uint8Array<ArrayBuffer>>,
  );
  const says = async (start: string) => {
    for (;;) {
      const { value } = await lines.next();
      assert.ok(value !== undefined, `it ended without saying ${start}`);
      if (value.startsWith(start)) return value;
    }
  };
  return { child, says };
}

/** Sends pings without waiting for answers, until `until` resolves. */
async function pingWhile(
  space: Namespace,
  until: Promise<unknown>,
): Promise<void> {
  let over = false;
  const ended = until.finally(() => over = true);
  while (!over) {
    await space.try(
      "ping",
      "-n",
      "-q",
      "-c",
      "30",
      "-i",
      "0.01",
      "-W",
      "0.1",
      ADDRESS,
    );
  }
  await ended;
}

testWith(
  NEEDS,
  "a driver that dies takes its program off the interface, though its process lives on",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const before = await stateOf(right);
    const { child, says } = crashingIn(right, "once");
    await says("up");
    assert.notDeepEqual(await stateOf(right), before);
    await answers(left, ADDRESS);
    await pingWhile(left, says("over: the driver has crashed: "));
    assert.deepEqual(await stateOf(right), before);
    await ping(left, RIGHT_ADDRESS, 100);
    await child.stdin.close();
    assert.ok((await child.status).success);
  },
);

testWith(
  NEEDS,
  "after a driver died, another one is on the interface and answers, and at the end the interface is as it was found",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const before = await stateOf(right);
    const { child, says } = crashingIn(right, "again");
    await says("up");
    await pingWhile(left, says("again: the driver has crashed: "));
    await answers(left, ADDRESS);
    await child.stdin.close();
    const nic = JSON.parse(await says("{")) as SystemSnapshot["nic"];
    assert.ok((await child.status).success);
    assert.ok(nic.restarts >= 1);
    assert.deepEqual(await stateOf(right), before);
  },
);
