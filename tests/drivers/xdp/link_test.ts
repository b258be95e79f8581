/** What changes of an interface while it is open is taken, or said with what to do. */

import assert from "node:assert/strict";
import { INTERFACE, NETNS_NEEDS } from "../../netns.ts";
import { testWith } from "../../needs.ts";
import { hiddenByNic } from "../../../drivers/xdp/hidden_parts.ts";
import {
  EchoProcess,
  introduce,
  makePair,
  type Ready,
  udpEcho,
} from "./echo.ts";

testWith(
  NETNS_NEEDS,
  "an MTU and an Ethernet address that change are taken, after the interface was down too",
  async () => {
    await using pair = await makePair();
    const { left, right } = pair;
    const echo = new EchoProcess(right, INTERFACE);
    assert.equal((await echo.next<Ready>("ready")).frameBytesMax, 1514);
    for (const mtu of [3000, 1400, 3400]) {
      for (const space of [left, right]) {
        await space.run("ip", "link", "set", INTERFACE, "mtu", `${mtu}`);
      }
      await echo.link(({ frameBytesMax }) => frameBytesMax === mtu + 14);
      assert.deepEqual(await udpEcho(left, 50, 1, mtu - 28), {
        sent: 50,
        intact: 50,
      });
    }
    const address = "02:00:00:00:77:01";
    await right.run("ip", "link", "set", INTERFACE, "down");
    await right.run("ip", "link", "set", INTERFACE, "address", address);
    await right.run("ip", "link", "set", INTERFACE, "up");
    await introduce(left);
    await echo.link(({ mac }) =>
      mac.map((byte) => byte.toString(16).padStart(2, "0")).join(":") ===
        address
    );
    assert.deepEqual(await udpEcho(left, 50, 1), { sent: 50, intact: 50 });
    const { notices } = await echo.link(() => true);
    assert.deepEqual(notices, []);
    await echo.stop();
  },
);

testWith(
  NETNS_NEEDS,
  "queues that an interface gets while it is open are said with what to do, once",
  async () => {
    await using pair = await makePair({ queues: 4 });
    const { left, right } = pair;
    await left.run("ethtool", "-L", INTERFACE, "tx", "2");
    await right.run("ethtool", "-L", INTERFACE, "rx", "2");
    const echo = new EchoProcess(right, INTERFACE, "sink");
    await echo.next<Ready>("ready");
    await right.run("ethtool", "-L", INTERFACE, "rx", "4");
    // Nothing tells of it: the driver asks when its counts are asked for.
    await echo.tell("count");
    const { notices } = await echo.link(({ notices }) => notices.length > 0);
    assert.match(
      notices[0]!,
      /^xdp:veth0: it has 4 receive queues now, 2 more than when it was opened, .*; start again, or `ethtool -L veth0` with 2$/,
    );
    await echo.tell("count");
    assert.deepEqual((await echo.link(() => true)).notices, []);
    await echo.stop();
  },
);

for (
  const [option, feature] of [
    ["txvlan", "txvlan"],
    ["tx-vlan-stag-hw-insert", "tx-vlan-stag-hw-insert"],
  ] as const
) {
  testWith(
    NETNS_NEEDS,
    `tags that a veth's other end may keep out of its frames are said with what to do: ${option}`,
    async () => {
      await using pair = await makePair();
      const { right } = pair;
      await right.run("ethtool", "-K", INTERFACE, option, "on");
      const echo = new EchoProcess(right, INTERFACE);
      await echo.next<Ready>("ready");
      const { notices } = await echo.link(({ notices }) => notices.length > 0);
      assert.equal(
        notices[0],
        `xdp:veth0: the other end of this veth may leave VLAN tags out of its frames, and grants do not see them; \`ethtool -K\` at both ends with ${feature} off`,
      );
      await echo.stop();
    },
  );
}

Deno.test("what a NIC's own hardware takes off or merges is said with what to do", () => {
  assert.equal(
    hiddenByNic("eth7", new Set(["rx-checksum", "rx-gro"])),
    undefined,
  );
  for (
    const [feature, said] of [
      [
        "rx-vlan-hw-parse",
        /takes VLAN tags off .*`ethtool -K eth7 rxvlan off`$/,
      ],
      [
        "rx-vlan-stag-hw-parse",
        /takes VLAN tags off .*`ethtool -K eth7 rx-vlan-stag-hw-parse off`$/,
      ],
      ["rx-lro", /merges packets .*`ethtool -K eth7 lro off`$/],
      ["rx-gro-hw", /merges packets .*`ethtool -K eth7 rx-gro-hw off`$/],
    ] as const
  ) assert.match(hiddenByNic("eth7", new Set([feature]))!, said);
  assert.match(
    hiddenByNic("eth7", new Set(["rx-vlan-hw-parse", "rx-lro"]))!,
    /takes VLAN tags off and merges packets .*`ethtool -K eth7 rxvlan off lro off`$/,
  );
});
