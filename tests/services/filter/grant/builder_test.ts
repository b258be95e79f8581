import assert from "node:assert/strict";
import {
  arp,
  either,
  ethernet,
  ipv4,
  ipv6,
  vlan,
} from "../../../../services/filter/grant/builder.ts";
import { describeGrant } from "../../../../services/filter/grant/describe.ts";
import {
  type Grant,
  GrantError,
} from "../../../../services/filter/grant/grant.ts";

const port = (number: number) => ({ low: number, high: number });

Deno.test("ipv4().udp().dstPort(53) asks for whole datagrams to that port", () => {
  assert.deepEqual(ipv4().udp().dstPort(53).grant, [{
    payload: {
      kind: "ipv4",
      fragment: "whole",
      protocol: 17,
      dstPort: port(53),
    },
  }]);
});

Deno.test("every step gives a new value and leaves the one before as it was", () => {
  const base = ipv6().tcp();
  const web = base.dstPort(80, 90).src("2001:db8::/32");
  assert.deepEqual(base.grant, [{
    payload: { kind: "ipv6", fragment: "any", protocol: 6 },
  }]);
  assert.deepEqual(web.grant, [{
    payload: {
      kind: "ipv6",
      fragment: "whole",
      protocol: 6,
      dstPort: { low: 80, high: 90 },
      src: {
        address: [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        length: 32,
      },
    },
  }]);
});

Deno.test("prefixes and masked addresses lose the bits that do not count", () => {
  const [net] = arp().target("10.77.3.9/16").grant;
  assert.deepEqual(net?.payload, {
    kind: "arp",
    target: { address: [10, 77, 0, 0], length: 16 },
  });
  const [own] = ethernet().src("02:53:0a:4d:00:02", "ff:ff:00:00:00:00").grant;
  assert.deepEqual(own?.etherSrc?.address, [2, 0x53, 0, 0, 0, 0]);
});

Deno.test("describeGrant() speaks pcap-filter's words", () => {
  const said: readonly [Grant, string][] = [
    [[{}], "every frame"],
    [
      ipv4().udp().dstPort(53).dst("10.77.0.2").grant,
      "udp dst port 53 and dst host 10.77.0.2",
    ],
    [ipv4().udp().dstPort(53).grant, "ip and udp dst port 53"],
    [
      ipv6().tcp().dstPort(80, 90).src("2001:db8::/32").grant,
      "tcp dst portrange 80-90 and src net 2001:db8::/32",
    ],
    [vlan(7).ipv4().icmp().type(8).grant, "vlan 7 and icmp[0] = 8"],
    [vlan().arp().grant, "vlan and arp"],
    [arp().target("10.77.0.2").grant, "arp dst host 10.77.0.2"],
    [arp().request().grant, "arp[6:2] = 1"],
    [ethernet().dst("02:53:0a:4d:00:02").grant, "ether dst 02:53:0a:4d:00:02"],
    [ethernet().multicast().ipv6().grant, "ether multicast and ip6"],
    [ethernet().etherType(0x88cc).grant, "ether proto 0x88cc"],
    [
      ipv4().fragments().dst("10.77.0.2").grant,
      "dst host 10.77.0.2 and ip[6:2] & 0x3fff != 0",
    ],
    [ipv4().protocol(89).grant, "ip proto 89"],
    [
      [{
        payload: {
          kind: "ipv6",
          fragment: "whole",
          protocol: 136,
          srcPort: port(5),
        },
      }],
      "ip6 proto 136 and src port 5",
    ],
    [
      either(arp(), ipv4().icmp().dst("10.77.0.2")),
      "arp or (icmp and dst host 10.77.0.2)",
    ],
  ];
  for (const [grant, words] of said) assert.equal(describeGrant(grant), words);
});

Deno.test("what is no address, port or VLAN is refused, naming it and what was expected", () => {
  const refused: readonly [() => unknown, RegExp][] = [
    [() => ipv4().dst("10.77.0.256"), /"10\.77\.0\.256": expected an IPv4/],
    [() => ipv4().dst("2001:db8::1"), /expected an IPv4/],
    [() => ipv6().dst("10.77.0.2"), /expected an IPv6/],
    [() => ipv4().dst("10.77.0.2/33"), /expected an IPv4/],
    [() => ethernet().dst("02:53:0a"), /expected an Ethernet address/],
    [() => vlan(4096).grant, /grant\[0\]\.vlan: 4096; expected a whole number/],
    [() => ipv4().udp().dstPort(65536).grant, /dstPort\.low: 65536/],
    [() => ipv4().udp().dstPort(9, 8).grant, /low 9 is above high 8/],
    [() => ipv6().protocol(43).grant, /43 is an IPv6 extension header/],
    [() => ethernet().etherType(0x8100).grant, /0x8100 is a VLAN tag/],
    [() => either(...new Array<Grant>(65).fill([{}])), /65 conjunctions/],
    [() => either(), /0 conjunctions/],
  ];
  for (const [build, message] of refused) {
    assert.throws(
      build,
      (error) => error instanceof GrantError && message.test(error.message),
    );
  }
});
