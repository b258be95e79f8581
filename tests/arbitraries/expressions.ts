/**
 * Filter texts: a grammar of pcap-filter(7), biased to what linked_frames.ts
 * puts into packets, so that texts match and nearly match.
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";

/** Values that both texts and frames are made of. */
export const LIKELY = {
  mac: ["02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"],
  ip4: ["10.0.0.1", "10.0.0.2", "192.168.1.77", "224.0.0.9", "0.0.0.0"],
  ip6: ["2001:db8::1", "2001:db8::2", "fe80::1", "ff02::1", "::1"],
  port: [53, 80, 443, 6081, 4789, 65535, 0],
  vlan: [1, 100, 200, 4095],
  label: [0, 16, 1024],
  session: [1, 17, 0xffff],
  vni: [0, 7, 0xabcdef],
} as const;

const word = fc.constantFrom;

/** Each five times, beside what is refused. */
function often(...words: string[]): string[] {
  return Array.from({ length: 5 }, () => words).flat();
}

/** Sometimes the text, sometimes nothing. */
function maybe(text: Arbitrary<string>): Arbitrary<string> {
  return fc.oneof(fc.constant(""), text.map((t) => `${t} `));
}

function spaced(...parts: (string | Arbitrary<string>)[]) {
  const arbitraries = parts.map((part) =>
    typeof part === "string" ? fc.constant(part) : part
  );
  return fc.tuple(...arbitraries).map((words) =>
    words.join(" ").replace(/ +/g, " ").trim()
  );
}

const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20).map(String) },
  {
    weight: 3,
    arbitrary: word("0x0f", "0xff", "010", "64", "255", "256", "0xffff"),
  },
  { weight: 1, arbitrary: fc.nat(0xffffffff).map(String) },
  {
    weight: 2,
    arbitrary: word(
      "tcpflags",
      "tcp-syn",
      "tcp-ack",
      "icmptype",
      "icmp-echo",
      "icmp6-echo",
      "icmp6-neighborsolicit",
    ),
  },
);

const direction = word(
  "src",
  "dst",
  "src or dst",
  "src and dst",
  "dst and src",
);

const ip4Address = fc.oneof(
  word(...LIKELY.ip4, "10.0", "10", "192.168.1", "0x0a000001", "0"),
  fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`),
);
const ip4Network = word(
  "10.0.0.0/8",
  "10.0.0.0/30",
  "10/8",
  "10.0/16",
  "10.0",
  "10",
  "192.168.1.0/24",
  "192.168.0.0 mask 255.255.0.0",
  "0.0.0.0/0",
  "10.0.0.1/32",
  "224.0.0.0/4",
  "10.0.0.1/24",
);
const ip6Network = word(
  "2001:db8::/32",
  "2001:db8::1/128",
  "::/0",
  "fe80::/10",
  "2001:db8::/29",
  "2001:db8::1/64",
  "ff00::/8",
);

const hostPrimitive = fc.oneof(
  spaced(
    maybe(word(...often("ip", "arp", "rarp"), "ether", "tcp", "ip6")),
    maybe(direction),
    "host",
    ip4Address,
  ),
  spaced(
    maybe(word("ip6", "ip")),
    maybe(direction),
    "host",
    word(...LIKELY.ip6),
  ),
  spaced(maybe(word("ip", "arp")), direction, ip4Address),
  spaced("ether", maybe(direction), "host", word(...LIKELY.mac)),
  spaced("ether", direction, word(...LIKELY.mac)),
  spaced(
    maybe(word(...often("ip", "arp"), "ip6")),
    maybe(direction),
    "net",
    ip4Network,
  ),
  spaced(maybe(word("ip6")), maybe(direction), "net", ip6Network),
  spaced("decnet", maybe(direction), "host", word("1.2", "10.15", "63.1023")),
);

const portNumber = fc.oneof(
  word(...LIKELY.port.map(String)),
  word("domain", "https", "(53)", "0x50", "65536"),
);
const portProtocol = word(...often("tcp", "udp", "sctp"), "icmp");
const portPrimitive = fc.oneof(
  spaced(maybe(portProtocol), maybe(direction), "port", portNumber),
  spaced(
    maybe(portProtocol),
    maybe(direction),
    "portrange",
    word(
      "53-80",
      "80-53",
      "0-65535",
      "80",
      "1024-65535",
      "domain-443",
      "1-2-3",
    ),
  ),
  spaced(maybe(portProtocol), maybe(direction), "port not", portNumber),
  spaced(maybe(portProtocol), "port ( 53 or 80 )"),
  spaced(maybe(direction), "port ( 53 and not 443 )"),
);

/** Names of protocols that stand alone. */
export const PROTOCOLS = (
  "ip arp rarp sctp tcp udp icmp igmp igrp pim vrrp carp atalk aarp decnet " +
  "lat sca mopdl moprc ip6 icmp6 ah esp iso esis isis l1 l2 iih lsp snp psnp " +
  "csnp clnp stp ipx netbeui"
).split(" ");

const protocolPrimitive = fc.oneof(
  { weight: 4, arbitrary: word("ip", "ip6", "tcp", "udp", "icmp", "arp") },
  { weight: 2, arbitrary: word(...PROTOCOLS) },
  {
    weight: 2,
    arbitrary: spaced(
      maybe(word("ip", "ip6", "iso", "isis", "tcp")),
      "proto",
      word(
        "6",
        "17",
        "\\tcp",
        "\\udp",
        "ospf",
        "44",
        "0x83",
        "20",
        "58",
        "300",
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: spaced(
      "ether proto",
      word("\\ip", "\\arp", "0x86dd", "2048", "0x42", "6", "0xfe", "1500"),
    ),
  },
  {
    weight: 2,
    arbitrary: spaced(
      maybe(word("ip", "ip6")),
      "protochain",
      word("6", "17", "\\udp", "44", "51", "59"),
    ),
  },
);

const keywordPrimitive = fc.oneof(
  spaced(
    maybe(word("ether", "ip", "ip6", "tcp")),
    word("broadcast", "multicast"),
  ),
  spaced(word("less", "greater"), word("64", "100", "0", "1500")),
  spaced("byte", number, word("=", "<", ">"), word("0", "2", "69", "255")),
  spaced(word("inbound", "outbound", "pppoed", "ifindex 3", "ifindex 1")),
  spaced(
    "llc",
    maybe(word("i", "s", "u", "rr", "rnr", "rej", "ui", "ua", "xid", "TEST")),
  ),
);

const encapsulationPrimitive = fc.oneof(
  spaced("vlan", maybe(word(...LIKELY.vlan.map(String), "4096"))),
  spaced("mpls", maybe(word(...LIKELY.label.map(String)))),
  spaced("pppoes", maybe(word(...LIKELY.session.map(String)))),
);

const LOADABLE = (
  "ether ip ip6 arp rarp tcp udp icmp icmp6 sctp igmp ip tcp udp ether ip6 " +
  "decnet pim ah"
).split(" ");
const OPERATORS = "+ - * / & | ^ % << >> & +".split(" ");
const RELATIONS = "= == != < > <= >=".split(" ");

const { arithmetic, load } = fc.letrec<{ arithmetic: string; load: string }>(
  (tie) => ({
    load: fc.tuple(
      word(...LOADABLE),
      fc.oneof(
        { weight: 8, arbitrary: fc.nat(40).map(String) },
        { weight: 1, arbitrary: word("tcpflags", "icmptype", "100", "-1") },
        { weight: 1, arbitrary: tie("arithmetic") },
      ),
      word("", ...often("", ":2", ":4", ":1"), ":3"),
    ).map(([protocol, index, size]) => `${protocol}[${index}${size}]`),
    arithmetic: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      number,
      tie("load"),
      fc.constant("len"),
      fc.tuple(tie("arithmetic"), word(...OPERATORS), tie("arithmetic"))
        .map((parts) => parts.join(" ")),
      tie("arithmetic").map((inner) => `(${inner})`),
      tie("arithmetic").map((inner) => `- ${inner}`),
    ),
  }),
);

/** Arithmetic of numbers of every size and of bytes of the frame. */
export const arithmeticArbitrary: Arbitrary<string> = fc.letrec<
  { value: string }
>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.oneof(
      fc.nat(40).map(String),
      fc.nat(0xffffffff).map(String),
      word("0xffffffff", "0x80000000", "len"),
    ),
    fc.tuple(fc.nat(30), word("", ":2", ":4"))
      .map(([at, size]) => `ether[${at}${size}]`),
    fc.tuple(tie("value"), word(...OPERATORS), tie("value"))
      .map((parts) => parts.join(" ")),
    tie("value").map((inner) => `(${inner})`),
    tie("value").map((inner) => `- ${inner}`),
  ),
})).value;

const relation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(arithmetic, word(...RELATIONS), arithmetic),
  },
  { weight: 4, arbitrary: fc.tuple(load, word(...RELATIONS), number) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.tuple(load, number).map(([l, mask]) => `${l} & ${mask}`),
      word("!=", "="),
      word("0", "1", "2"),
    ),
  },
).map((parts) => parts.join(" "));

const hexGroup = fc.nat(0xffff).map((group) => group.toString(16));
const decimalGroup = fc.oneof(
  { weight: 9, arbitrary: fc.nat(255).map(String) },
  { weight: 1, arbitrary: word("256", "01", "0x1", "999") },
);
const ip4Text = fc.array(decimalGroup, { minLength: 2, maxLength: 4 })
  .map((groups) => groups.join("."));

/** Addresses in every spelling, right and nearly right. */
export const addressArbitrary: Arbitrary<string> = fc.oneof(
  fc.tuple(
    fc.array(hexGroup, { maxLength: 8 }),
    fc.array(hexGroup, { maxLength: 8 }),
    fc.option(ip4Text, { nil: undefined }),
    word("::", "::", ":", ""),
  ).map(([before, after, v4, between]) =>
    before.join(":") + between +
    [...after, ...(v4 === undefined ? [] : [v4])].join(":")
  ),
  ip4Text,
  fc.tuple(ip4Text, fc.nat(33)).map(([text, bits]) => `${text}/${bits}`),
  fc.tuple(
    fc.array(fc.nat(255).map((byte) => byte.toString(16)), {
      minLength: 5,
      maxLength: 7,
    }),
    word(":", "-", ".", ""),
  ).map(([bytes, joint]) => bytes.join(joint)),
  fc.tuple(
    fc.array(fc.nat(0xffff).map((two) => two.toString(16).padStart(4, "0")), {
      minLength: 2,
      maxLength: 4,
    }),
    word(".", "", ":"),
  ).map(([words, joint]) => words.join(joint)),
);

/** A primitive or a comparison. */
export const primitiveArbitrary: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: hostPrimitive },
  { weight: 4, arbitrary: portPrimitive },
  { weight: 4, arbitrary: protocolPrimitive },
  { weight: 4, arbitrary: relation },
  { weight: 2, arbitrary: keywordPrimitive },
  { weight: 3, arbitrary: encapsulationPrimitive },
);

/** What gives qualifiers to a bare identifier after it; most of them fit. */
const inheritable = fc.oneof(
  word("port 80", "tcp port 53", "host 10.0.0.2", "dst net 10", "(port 1)"),
  word("ip6 host ::1", "not src port 443", "tcp port 1 and dst port 53"),
);

/** What may stand bare after `and` or `or`. */
const bare = word("80", "53", "10.0.0.1", "not 443", "(80)", "2001:db8::1");

const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    primitiveArbitrary,
    fc.tuple(tie("filter"), word("and", "or", "&&", "||"), tie("filter"))
      .map((parts) => parts.join(" ")),
    tie("filter").map((inner) => `not ${inner}`),
    tie("filter").map((inner) => `(${inner})`),
    fc.tuple(inheritable, word("and", "or"), bare)
      .map((parts) => parts.join(" ")),
  ),
}));

/**
 * Filter texts. `geneve` stands only in a conjunction at the front: elsewhere
 * libpcap reads registers that it never wrote.
 */
export const expressionArbitrary: Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: filter },
  {
    weight: 1,
    arbitrary: fc.tuple(
      maybe(word("vlan and", "ip and", "mpls and", "udp and")),
      spaced("geneve", maybe(word(...LIKELY.vni.map(String)))),
      filter,
    ).map(([before, geneve, inner]) => `${before}${geneve} and (${inner})`),
  },
);
