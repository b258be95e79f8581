/** AF_XDP on a veth, with kernels on both sides as the judges. */

import { delay } from "@std/async/delay";
import type { Counts } from "../../../caps/driver/accounts.ts";
import assert from "node:assert/strict";
import { INTERFACE, NETNS_NEEDS, RIGHT_ADDRESS, stateOf } from "../../netns.ts";
import { type Need, testWith } from "../../needs.ts";
import {
  EchoProcess,
  failureOf,
  introduce,
  makePair,
  path,
  type Ready,
  udpEcho,
} from "./echo.ts";

const NEEDS: readonly Need[] = [...NETNS_NEEDS, "tool:ping", "tool:cat"];

testWith(
  NEEDS,
  "1,000 datagrams of 1 to 1,472 bytes come back intact while the kernel answers pings beside",
  async () => {
    await using pair = await makePair();
    const before = await stateOf(pair.right);
    const echo = new EchoProcess(pair.right, INTERFACE);
    const ready = await echo.next<Ready>("ready");
    assert.equal(ready.name, `xdp:${INTERFACE}`);
    assert.equal(ready.mode, "AF_XDP native, copy");
    assert.equal(ready.frameBytesMax, 1514);
    assert.equal(
      ready.mac.map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
      before["address"],
    );
    const ping = ["ping", "-n", "-q", "-c", "100", "-i", "0.01", RIGHT_ADDRESS];
    const [counts, pings] = await Promise.all([
      udpEcho(pair.left, 1000),
      pair.left.run(...ping),
    ]);
    assert.deepEqual(counts, { sent: 1000, intact: 1000 });
    assert.match(pings, /100 packets transmitted, 100 received/);
    const done = await echo.stop();
    assert.equal(done["received"], 1000);
    assert.equal(done["tagged"], 1000);
    assert.equal(done["claimed"], 1000);
    assert.equal(done["rx-packets"], 1000);
    assert.equal(done["tx-packets"], 1000);
    assert.equal(done["rx-bytes"], done["tx-bytes"]);
    assert.equal(done["unsent"], 0);
    assert.deepEqual(await stateOf(pair.right), before);
  },
);

testWith(
  NEEDS,
  "no packet is lost while programs are exchanged, and their counts add up; a refused one changes nothing",
  async () => {
    await using pair = await makePair();
    const echo = new EchoProcess(pair.right, INTERFACE);
    const ready = await echo.next<Ready>("ready");
    assert.equal(ready.refuses, true);
    let busy = true;
    const traffic = udpEcho(pair.left, 2000).finally(() => busy = false);
    let exchanges = 0;
    while (busy) {
      await echo.tell("exchange");
      await echo.next<boolean>("exchanged");
      exchanges++;
      await delay(1);
    }
    assert.deepEqual(await traffic, { sent: 2000, intact: 2000 });
    const done = await echo.stop();
    assert.ok(exchanges > 2);
    assert.equal(done["claimed"], 2000);
  },
);

testWith(
  NEEDS,
  "every receive queue has its socket: flows over four queues all arrive",
  async () => {
    await using pair = await makePair({ queues: 4 });
    const echo = new EchoProcess(pair.right, INTERFACE);
    await echo.next<Ready>("ready");
    const counts = await udpEcho(pair.left, 2000, 32);
    assert.deepEqual(counts, { sent: 2000, intact: 2000 });
    const done = await echo.stop();
    assert.equal(done["received"], 2000);
    assert.equal(done["tagged"], 2000);
  },
);

testWith(
  NEEDS,
  "an interface is served on the queues that it has now, fewer than it could have",
  async () => {
    await using pair = await makePair({ queues: 4 });
    // A veth does XDP by itself where it has a queue for each of the far end's.
    await pair.left.run("ethtool", "-L", INTERFACE, "tx", "2");
    await pair.right.run("ethtool", "-L", INTERFACE, "rx", "2");
    const echo = new EchoProcess(pair.right, INTERFACE);
    const { mode } = await echo.next<Ready>("ready");
    assert.equal(mode, "AF_XDP native, copy, 2 queues");
    const counts = await udpEcho(pair.left, 1000, 32);
    assert.deepEqual(counts, { sent: 1000, intact: 1000 });
    const fewer = await pair.right.try("ethtool", "-L", INTERFACE, "rx", "1");
    assert.match(fewer.stderr, /netlink error|too low|Invalid/);
    assert.equal((await echo.stop())["received"], 1000);
  },
);

testWith(
  NEEDS,
  "a NIC that is polled busily loses nothing, and says so",
  async () => {
    await using pair = await makePair({ queues: 2 });
    const echo = new EchoProcess(pair.right, INTERFACE, "echo", "64");
    const { mode } = await echo.next<Ready>("ready");
    assert.equal(mode, "AF_XDP native, copy, 2 queues, busy poll of 64");
    const counts = await udpEcho(pair.left, 1000, 32);
    assert.deepEqual(counts, { sent: 1000, intact: 1000 });
    assert.equal((await echo.stop())["received"], 1000);
  },
);

testWith(
  NEEDS,
  "an interface whose driver knows nothing of XDP is served in generic mode",
  async () => {
    await using pair = await makePair();
    const { right } = pair;
    await right.run("ip", "link", "add", "br0", "type", "bridge");
    await right.run("ip", "link", "set", INTERFACE, "master", "br0");
    await right.run("ip", "link", "set", "br0", "up", "promisc", "on");
    const echo = new EchoProcess(right, "br0");
    assert.equal(
      (await echo.next<Ready>("ready")).mode,
      "AF_XDP generic, copy",
    );
    const counts = await udpEcho(pair.left, 200);
    assert.deepEqual(counts, { sent: 200, intact: 200 });
    assert.equal((await echo.stop())["tagged"], 200);
  },
);

testWith(
  NEEDS,
  "the largest MTU that a page holds is served, and goes on after the interface was down",
  async () => {
    await using pair = await makePair({ mtu: 3818 });
    const echo = new EchoProcess(pair.right, INTERFACE);
    assert.equal((await echo.next<Ready>("ready")).frameBytesMax, 3832);
    const largest = 3818 - 28;
    assert.deepEqual(
      await udpEcho(pair.left, 100, 1, largest),
      { sent: 100, intact: 100 },
    );
    await pair.right.run("ip", "link", "set", INTERFACE, "down");
    await pair.right.run("ip", "link", "set", INTERFACE, "up");
    await introduce(pair.left);
    assert.deepEqual(
      await udpEcho(pair.left, 100, 1, largest),
      { sent: 100, intact: 100 },
    );
    const done = await echo.stop();
    assert.equal(done["tagged"], 200);
    assert.equal(done["ended"], 0);
  },
);

testWith(
  NEEDS,
  "a whole batch leaves with one call: a veth gives every frame back at once",
  async () => {
    await using pair = await makePair();
    const received = async () => {
      const text = await pair.left.run("cat", "/proc/net/dev");
      return Number(/veth0:\s*\d+\s+(\d+)/.exec(text)![1]);
    };
    const before = await received();
    const echo = new EchoProcess(pair.right, INTERFACE, "burst");
    assert.equal(await echo.next<number>("burst"), 256);
    assert.equal((await echo.end()).code, 0);
    assert.ok(await received() >= before + 256);
  },
);

testWith(
  NEEDS,
  "kill -9 leaves no program, and the interface as it was",
  async () => {
    await using pair = await makePair();
    const before = await stateOf(pair.right);
    const echo = new EchoProcess(pair.right, INTERFACE);
    await echo.next<Ready>("ready");
    const during = await stateOf(pair.right);
    assert.equal("xdp" in during, true);
    assert.equal(during["promiscuity"], 1);
    await udpEcho(pair.left, 50);
    echo.child.kill("SIGKILL");
    await echo.end();
    assert.deepEqual(await stateOf(pair.right), before);
    assert.equal("xdp" in before, false);
    // And the queue is free again.
    const next = new EchoProcess(pair.right, INTERFACE);
    await next.next<Ready>("ready");
    assert.deepEqual(await udpEcho(pair.left, 50), { sent: 50, intact: 50 });
    await next.stop();
  },
);

testWith(NEEDS, "a driver whose interface is gone has ended", async () => {
  await using pair = await makePair();
  const echo = new EchoProcess(pair.right, INTERFACE);
  await echo.next<Ready>("ready");
  await udpEcho(pair.left, 50);
  await pair.left.run("ip", "link", "delete", INTERFACE);
  const done = await echo.next<Counts>("done");
  assert.equal(done["ended"], 1);
  assert.equal(done["interface-gone"], 1);
  assert.equal(done["received"], 50);
  await echo.tell("stop");
  assert.equal((await echo.end()).code, 0);
});

testWith(
  NEEDS,
  "what stands in the way of opening is said with what to do",
  async () => {
    await using pair = await makePair();
    const { right } = pair;
    assert.match(
      await failureOf(right, [], "nosuch0"),
      /interface nosuch0: cannot find it: No such device \(ENODEV\); `ip link` lists/,
    );
    assert.match(
      await failureOf(right, [], "a-name-that-is-too-long"),
      /the name of an interface has 1 to 15 bytes/,
    );
    assert.match(
      await failureOf(right, [], "lo"),
      /is not an Ethernet interface/,
    );

    await right.run("ip", "link", "set", INTERFACE, "mtu", "9000");
    assert.match(
      await failureOf(right),
      /xdp:veth0: its MTU is 9000, .* page of 4096 bytes; `ip link set veth0 mtu 3818` or less/,
    );
    await right.run("ip", "link", "set", INTERFACE, "mtu", "1500");

    await right.run("ip", "link", "set", INTERFACE, "down");
    assert.match(
      await failureOf(right),
      /interface veth0: is down; `ip link set veth0 up` first/,
    );
    await right.run("ip", "link", "set", INTERFACE, "up");

    const echo = new EchoProcess(right, INTERFACE);
    await echo.next<Ready>("ready");
    assert.match(
      await failureOf(right),
      /xdp:veth0: cannot attach the XDP program: .*\(EBUSY\); another XDP program is on this interface/,
    );
    await echo.stop();
  },
);

testWith(
  [...NEEDS, "tool:setpriv"],
  "without privilege the error names what is needed",
  async () => {
    await using pair = await makePair();
    const before = await stateOf(pair.right);
    const drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const text = await failureOf(pair.right, drop);
    assert.match(
      text,
      /Operation not permitted \(EPERM\); run as root, or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON/,
    );
    assert.deepEqual(await stateOf(pair.right), before);
  },
);

testWith(
  [...NEEDS, "tool:setpriv", "tool:prlimit"],
  "CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON are enough, as far as memory may be locked",
  async () => {
    await using pair = await makePair();
    const keep = "-all,+net_admin,+net_raw,+bpf,+perfmon";
    const drop = ["setpriv", `--bounding-set=${keep}`, `--inh-caps=${keep}`];
    const little = ["prlimit", "--memlock=65536:65536", ...drop];
    assert.match(
      await failureOf(pair.right, little),
      /cannot register 4096 KiB .*\(ENOBUFS\); raise the limit of locked memory \(ulimit -l\), or add CAP_IPC_LOCK/,
    );
    const result = await pair.right.try(
      ...[...drop, Deno.execPath(), "run"],
      ...["--no-prompt", "--allow-ffi", path("./echo_process.ts"), INTERFACE],
      "burst",
    );
    assert.deepEqual(JSON.parse(result.stdout), { burst: 256 });
  },
);
