/** Filter texts of the words that grants can say, and of few others. */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import { LIKELY } from "./expressions.ts";

const word = fc.constantFrom;

const direction = word("", "src ", "dst ", "src or dst ", "src and dst ");

function joined(...parts: Arbitrary<string>[]): Arbitrary<string> {
  return fc.tuple(...parts).map((words) => words.join(""));
}

const ip4 = fc.oneof(
  joined(word("host "), word(...LIKELY.ip4)),
  joined(word("net "), word("10", "10.0", "192.168.0.0/16", "10.0.0.0/30")),
  word("net 10.0.0.0 mask 255.0.0.0", "net 0.0.0.0/0"),
);

const primitive = fc.oneof(
  joined(word("", "ip ", "ip ", "arp "), direction, ip4),
  joined(word("", "ip6 "), direction, word("host "), word(...LIKELY.ip6)),
  joined(direction, word("net 2001:db8::/32", "net fe80::/10", "net ::/0")),
  joined(word("ether "), direction, word("host "), word(...LIKELY.mac)),
  joined(
    word("", "tcp ", "udp ", "sctp "),
    direction,
    word("port 53", "port domain", "portrange 50-90", "portrange 443-1"),
  ),
  word("ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6"),
  word("igmp", "esp", "pim", "vrrp", "broadcast", "ether multicast"),
  word("ip multicast", "ip6 multicast", "pppoed", "ether proto 0x88cc"),
  word("ether proto \\ip", "ip proto \\udp", "proto 17", "ip6 proto 58"),
  word("icmp[icmptype] = icmp-echo", "icmp6[0] = 135", "arp[6:2] = 1"),
  word("ip[6:2] & 0x3fff = 0", "ip[6:2] & 0x3fff != 0"),
);

const combined = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    primitive,
    fc.tuple(tie("text"), word(" and ", " and ", " or "), tie("text"))
      .map((parts) => parts.join("")),
    tie("text").map((inner) => `(${inner})`),
  ),
})).text;

/** Texts, of which most are grants. */
export const grantTextArbitrary: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: combined },
  {
    weight: 1,
    arbitrary: fc.tuple(word("vlan", "vlan 100", "vlan 1"), combined)
      .map(([vlan, inner]) => `${vlan} and (${inner})`),
  },
);
