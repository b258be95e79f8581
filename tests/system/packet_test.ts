/** A whole system on a packet socket, beside a kernel, with the kernel on the far side as its judge. */

import assert from "node:assert/strict";
import { testWith } from "../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
  stateOf,
} from "../netns.ts";
import { ADDRESS, answers, CRASH, datagrams, ping } from "./far_kernel.ts";
import { snapshotIn, up, UpProcess } from "./up_process.ts";

const NEEDS = [...NETNS_NEEDS, "tool:ping", "tool:cat"] as const;

const NIC = ["--nic", `packet:${INTERFACE}`, "--address", `${ADDRESS}/24`];

/** What the kernel says of packet sockets where there are none. */
const NO_SOCKETS =
  "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";

testWith(
  NEEDS,
  "through a packet socket the far kernel gets its pings and datagrams back, intact, the near one goes on as before, and what is its own is kept back from the ring",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    // With transport checksums left to hardware that there is none of.
    for (const space of [left, right]) {
      await space.run("ethtool", "-K", INTERFACE, "tx", "on");
    }
    const before = await stateOf(right);
    await using process = new UpProcess([...NIC, "--json"], { space: right });
    await answers(left);
    const during = await stateOf(right);
    assert.equal(during["promiscuity"], 1);
    const [ours, kernels, echoes] = await Promise.all([
      ping(left, ADDRESS, 50),
      ping(left, RIGHT_ADDRESS, 50),
      datagrams(left, 300),
    ]);
    assert.match(ours, /50 packets transmitted, 50 received/);
    assert.match(kernels, /50 packets transmitted, 50 received/);
    assert.deepEqual(echoes, { sent: 300, intact: 300 });

    const result = await process.interrupt();
    assert.equal(result.err, "");
    assert.equal(result.code, 0);
    assert.deepEqual(await stateOf(right), before);
    const { nic, pages, services, unclaimedPackets } = snapshotIn(result);
    assert.equal(nic.name, `packet:${INTERFACE}`);
    assert.equal(pages.free, pages.total, JSON.stringify(pages));
    const echoed = new Map(
      services.map(({ name, counters }) => [name, counters["echoed"]]),
    );
    assert.ok(echoed.get("icmp-echo")! >= 51);
    assert.equal(echoed.get("udp-echo"), 300);
    // The kernel's 50 pings and its ARP never came: the filter is in the kernel.
    assert.ok(unclaimedPackets < 10, `${unclaimedPackets} were nobody's`);
  },
);

testWith(
  NEEDS,
  "each of a system's addresses answers the far kernel, from itself",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const second = "10.77.0.99";
    const more = ["--address", `${second}/24`, "--address", "fd00::99/64"];
    const args = [...NIC, ...more, "--json"];
    await using process = new UpProcess(args, { space: right });
    await answers(left);
    for (const address of [ADDRESS, second]) {
      // The kernel takes no answer that comes from another address.
      const said = await ping(left, address, 20);
      assert.match(said, /20 packets transmitted, 20 received/, address);
    }
    const { nic, services } = snapshotIn(await process.interrupt());
    assert.equal(nic.address, `${ADDRESS}/24, ${second}/24, fd00::99/64`);
    const arp = services.find(({ name }) => name === "arp");
    assert.ok(arp!.counters["answered"]! >= 2);
  },
);

testWith(
  NEEDS,
  "a service with one of its system's addresses answers the far kernel for that one alone",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const second = "10.77.0.99";
    const path = await Deno.makeTempFile({ suffix: ".json" });
    await using clearing = new AsyncDisposableStack();
    clearing.defer(() => Deno.remove(path));
    const manifest = {
      nic: `packet:${INTERFACE}`,
      address: [`${ADDRESS}/24`, `${second}/24`],
      services: {
        arp: { core: "arp" },
        first: { core: "icmp-echo", addresses: [ADDRESS] },
        second: { core: "icmp-echo", addresses: [second] },
        echo: { core: "udp-echo", addresses: [second] },
      },
    };
    await Deno.writeTextFile(path, JSON.stringify(manifest));
    const args = ["--manifest", path, "--json"];
    await using process = new UpProcess(args, { space: right });
    await answers(left);
    for (const [address, count] of [[ADDRESS, 20], [second, 30]] as const) {
      const said = await ping(left, address, count);
      assert.match(said, new RegExp(`${count} received`), address);
    }
    const sent = await datagrams(left, 40, { address: second });
    assert.deepEqual(sent, { sent: 40, intact: 40 });
    const { services } = snapshotIn(await process.interrupt());
    const echoed = (name: string) =>
      services.find((one) => one.name === name)!.counters["echoed"];
    // The first was pinged until it answered, too.
    assert.ok(echoed("first")! >= 21);
    assert.deepEqual(["second", "echo"].map(echoed), [30, 40]);
  },
);

testWith(
  NEEDS,
  "kill -9 leaves the interface of a packet socket as it was, and it can be had again at once",
  async () => {
    await using pair = await makeNamespacePair();
    const before = await stateOf(pair.right);
    for (let round = 0; round < 2; round++) {
      await using process = new UpProcess(NIC, { space: pair.right });
      await process.says(/up on packet:veth0/);
      await answers(pair.left);
      assert.equal((await stateOf(pair.right))["promiscuity"], 1);
      process.child.kill("SIGKILL");
      await process.end();
      assert.deepEqual(await stateOf(pair.right), before);
    }
  },
);

testWith(
  NEEDS,
  "a driver of a packet socket that dies leaves the interface as it was, though its process lives on",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const before = await stateOf(right);
    const args = ["run", "-A", "--quiet", CRASH, `packet:${INTERFACE}`];
    const child = right.spawn(
      [Deno.execPath(), ...args, `${ADDRESS}/24`, "once"],
      { stdin: "piped", stdout: "piped", stderr: "null" },
    );
    const lines = child.stdout.pipeThrough(new TextDecoderStream());
    let said = "";
    for await (const text of lines.values({ preventCancel: true })) {
      said += text;
      if (said.includes("over: the driver has crashed: ")) break;
      // Twenty packets are what it needs to die.
      const args = ["-n", "-q", "-c", "30", "-i", "0.01", "-W", "0.1", ADDRESS];
      await left.try("ping", ...args);
    }
    // The process has no packet socket any more.
    assert.deepEqual(await stateOf(right), before);
    assert.equal(await right.run("cat", "/proc/net/packet"), NO_SOCKETS);
    await child.stdin.close();
    assert.ok((await child.status).success);
    await lines.cancel();
  },
);

testWith(
  NEEDS,
  "a packet socket goes on after its interface was down, and ends with words when it is removed",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    await using process = new UpProcess(NIC, { space: right });
    await process.says(/up on packet:veth0/);
    await answers(left);
    await right.run("ip", "link", "set", INTERFACE, "down");
    await right.run("ip", "link", "set", INTERFACE, "up");
    await answers(left);
    await left.run("ip", "link", "delete", INTERFACE);
    const { code, err } = await process.end();
    assert.equal(err, "sallyport: packet:veth0: the interface is gone\n");
    assert.equal(code, 1);
  },
);

testWith(
  NEEDS,
  "interfaces that no packet socket of ours can be on are refused in one line that says what to do",
  async () => {
    await using pair = await makeNamespacePair();
    const space = pair.right;
    const said = async (...more: string[]) => {
      const { code, err } = await up(
        ["--for", "100ms", "--nic", ...more],
        { space },
      );
      assert.notEqual(code, 0);
      assert.match(err, /^sallyport: [^\n]+\n$/);
      return err;
    };
    assert.match(await said("packet:lo"), /lo: is not an Ethernet interface/);
    assert.match(await said("packet:nope"), /nope: cannot find it.*`ip link`/);
    await space.run("ip", "link", "set", INTERFACE, "mtu", "9000");
    assert.match(
      await said("packet:veth0"),
      /its MTU is 9000.*`ip link set veth0 mtu 3822`/,
    );
    await space.run("ip", "link", "set", INTERFACE, "down");
    assert.match(await said("packet:veth0"), /is down; `ip link set veth0 up`/);
  },
);
