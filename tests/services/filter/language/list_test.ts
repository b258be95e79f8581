/** Lists of addresses and of ports: a set each, which means what asking for one after the other means. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import type { Test } from "../../../../services/filter/language/ir.ts";
import type { LinkType } from "../../../../services/wire/link_type.ts";
import { filter } from "../../../../services/filter/text/filter.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import { whyMissing } from "../../../needs.ts";
import { LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";
import { testProperty } from "../../../property.ts";
import { compareOn } from "./comparison.ts";

const NEEDS = [`library:${LIBPCAP}`] as const;
const missing = whyMissing(NEEDS[0]) !== undefined;
const libpcap = missing ? undefined : new Libpcap();

/** Few addresses, so that lists name the same ones again, and what frames have. */
const networkArbitrary = fc.constantFrom(
  ..."10.77.0.2|10.77.0.3|192.0.2.1|10.0.0.1|10.77.0.9|255.255.255.255".split(
    "|",
  ).map((address) => `host ${address}`),
  ..."net 10.77.0.0/24|net 10|net 0.0.0.0/0|net 192.0.2.0/31".split("|"),
  ..."net 10.77.0.0 mask 255.255.0.0|host 16909060".split("|"),
);

/** What a list is broken by, or goes on with. */
const otherArbitrary = fc.constantFrom(
  ..."udp|vlan|mpls|src host 10.77.0.2|arp host 10.77.0.3|ip6".split("|"),
  ..."src and dst net 10|ip host 10.77.0.2|ip dst host 192.0.2.1".split("|"),
  ..."ether host 02:53:0a:4d:00:02|(host 10.77.0.2 and udp)".split("|"),
);

const portArbitrary = fc.constantFrom(7, 53, 80, 443, 7, 65535, 0, 1024)
  .map((port) => `port ${port}`);

const portsArbitrary = fc.tuple(
  fc.constantFrom("", "", "tcp ", "udp ", "sctp "),
  fc.constantFrom("", "", "", "src ", "dst ", "src or dst ", "src and dst "),
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: portArbitrary },
      { weight: 1, arbitrary: fc.constantFrom("portrange 50-60", "port 9") },
    ),
    { minLength: 2, maxLength: 12 },
  ),
);

const addressesArbitrary = fc.tuple(
  fc.constantFrom("", "", "ip ", "arp ", "rarp "),
  fc.constantFrom("", "", "", "src ", "dst ", "src or dst ", "src and dst "),
  fc.array(networkArbitrary, { minLength: 2, maxLength: 12 }),
);

const listArbitrary = fc.tuple(
  fc.oneof(addressesArbitrary, portsArbitrary),
  fc.constantFrom("or", "or", "and not"),
  fc.array(fc.tuple(fc.nat(12), otherArbitrary), { maxLength: 2 }),
).map(([[protocol, direction, items], operator, others]) => {
  const words = items.map((item) => `${protocol}${direction}${item}`);
  for (const [at, other] of others) words.splice(at, 0, other);
  const text = words.join(` ${operator} `);
  return operator === "or" ? text : `not ${text}`;
});

const linkArbitrary = fc.constantFrom<LinkType>(
  ...["ethernet", "ethernet", "ethernet", "raw", "sll", "null"] as const,
);

testProperty(
  "a list of addresses or of ports matches what libpcap matches, whole packets and cut ones",
  { runs: 1000, file: import.meta.url, needs: NEEDS },
  fc.property(
    linkArbitrary.chain((link) =>
      fc.record({
        link: fc.constant(link),
        text: listArbitrary,
        frames: fc.array(linkedFrame(link), { minLength: 3, maxLength: 3 }),
        seed: fc.nat(),
        netmask: fc.constant(undefined),
      })
    ),
    (c) => compareOn(libpcap!, c),
  ),
);

/** How many numbers the sets of a test have in all. */
function numbersIn(test: Test): number {
  if (test.kind === "member") return test.numbers.length;
  if (test.kind === "not") return numbersIn(test.test);
  return test.kind === "and" || test.kind === "or"
    ? test.tests.reduce((sum, part) => sum + numbersIn(part), 0)
    : 0;
}

Deno.test("addresses that follow one another become one set, whatever stands around them", () => {
  const hosts = ["host 10.0.0.1", "10.0.0.2", "10.0.0.3"];
  for (
    const text of [
      hosts.join(" or "),
      `not (${hosts.join(" or ")})`,
      `udp and (${hosts.join(" or ")})`,
      hosts.map((host) => `not ${host}`).join(" and ")
        .replaceAll("not 1", "not host 1"),
    ]
  ) {
    const { test } = compileText(text, { linkType: "ethernet" });
    // Three destinations and two sources, of IPv4, ARP and RARP.
    strictEqual(numbersIn(test), 3 * 5, text);
  }
});

/** An Ethernet frame from one IPv4 address to another. */
function frameBetween(source: number, destination: number): Uint8Array {
  const frame = new Uint8Array(60);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint32(26, source);
  view.setUint32(30, destination);
  return frame;
}

Deno.test("ports that follow one another become one set of each protocol and end", () => {
  const text = "port 1 or 2 or 3 or tcp port 4 or 5 or portrange 6-7 or port 8";
  const { test } = compileText(text, { linkType: "ethernet" });
  // Of two versions of IP: three protocols, and one.
  strictEqual(numbersIn(test), 2 * (3 * 5 + 1 * 2));
});

Deno.test("a list of 20,000 hosts is within the limits, and asked by halves", () => {
  const base = 0x0a000000;
  const addressOf = (n: number) => base + 3 * n;
  const written = (address: number) =>
    [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
  const text = "host " +
    Array.from({ length: 20_000 }, (_, n) => written(addressOf(n)))
      .join(" or ");
  const list = filter(text);
  const other = 0xc0000201;
  for (const n of [0, 1, 9_999, 19_998, 19_999]) {
    for (const off of [-1, 0, 1]) {
      const frames = [
        frameBetween(addressOf(n) + off, other),
        frameBetween(other, addressOf(n) + off),
      ];
      for (const frame of frames) {
        strictEqual(list.matches(frame), off === 0, `${n} ${off}`);
        deepStrictEqual(matchesText(list.program, frame), off === 0);
      }
    }
  }
  ok(!list.matches(frameBetween(other, other)));
});
