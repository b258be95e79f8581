/**
 * Filter texts against the system's libpcap: what it refuses, and for each
 * packet, whole or cut short, what it matches.
 */

import { ok } from "node:assert/strict";
import fc from "fast-check";
import {
  brokenExpression,
  hasName,
} from "../../../arbitraries/broken_expressions.ts";
import {
  addressArbitrary,
  arithmeticArbitrary,
  expressionArbitrary,
  PROTOCOLS,
} from "../../../arbitraries/expressions.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import type { LinkType } from "../../../../services/wire/link_type.ts";
import { testWith, whyMissing } from "../../../needs.ts";
import { DLT, LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";
import { runsOf, testProperty } from "../../../property.ts";
import { compareOn, counts } from "./comparison.ts";
import { incomparable } from "./known_differences.ts";

const NEEDS = [`library:${LIBPCAP}`] as const;
const missing = whyMissing(NEEDS[0]) !== undefined;
const libpcap = missing ? undefined : new Libpcap();

const linkArbitrary = fc.constantFrom<LinkType>(
  ...[
    "ethernet",
    "ethernet",
    "ethernet",
    "ethernet",
    "ethernet",
    "ethernet",
    "raw",
  ] as const,
  ...["sll", "sll2", "null", "loop"] as const,
);

/** A link type, a text, packets, and a seed for steering them. */
const caseArbitrary = linkArbitrary.chain((link) =>
  fc.record({
    link: fc.constant(link),
    text: expressionArbitrary,
    frames: fc.array(linkedFrame(link), { minLength: 4, maxLength: 4 }),
    seed: fc.nat(),
    netmask: fc.constantFrom(undefined, 0xffffff00, 0xff000000, 0xfffffffe),
  })
);

/** An IP packet of nothing but headers' numbers and small lengths. */
const headersArbitrary = fc.tuple(
  fc.constantFrom(0x45, 0x46, 0x60, 0x60),
  fc.array(fc.constantFrom(0, 0, 1, 2, 6, 8, 10, 17, 43, 44, 51, 51, 60), {
    minLength: 60,
    maxLength: 130,
  }),
).map(([version, rest]) => Uint8Array.from([version, ...rest]));

/** Every protocol's name, and primitives that no protocol begins. */
const WORDS = [
  ...PROTOCOLS,
  ..."i s u rr rnr rej ui ua disc dm sabme test xid frmr".split(" ")
    .map((type) => `llc ${type}`),
  ..."clnp esis isis".split(" ").map((name) => `iso proto \\${name}`),
  ..."ip protochain 6|ip6 protochain 17|protochain 51|ip multicast".split("|"),
  ..."ip6 multicast|multicast|broadcast|ether proto \\ipx".split("|"),
  ..."ether proto 6|ether proto \\stp|ether proto \\iso|inbound".split("|"),
  ..."outbound|ifindex 3|vlan and ip|vlan and vlan 7|mpls and mpls 9".split(
    "|",
  ),
  ..."mpls and ip6|pppoes and ip|pppoes 3 and mpls|pppoed|llc".split("|"),
  ..."geneve and arp|geneve 7 and tcp|geneve and ether broadcast".split("|"),
  ..."geneve and vlan and udp|vlan and geneve and ip6 host ::1".split("|"),
  ..."decnet src host 3.7|decnet dst host 3.7|tcp port 9".split("|"),
  ..."portrange 7-9|sctp portrange 7-9|net 224.0.0.0/4|host ::1".split("|"),
];

const brokenArbitrary = fc.record({
  link: fc.constantFrom<LinkType>("ethernet", "ethernet", "sll2", "raw"),
  text: brokenExpression,
  frames: fc.array(linkedFrame("ethernet"), { minLength: 2, maxLength: 2 }),
  seed: fc.nat(),
  netmask: fc.constant(undefined),
});

if (libpcap === undefined) {
  testWith(NEEDS, "filter text against libpcap", () => {});
} else {
  testProperty(
    "compileText() refuses what libpcap refuses, and matches what it matches",
    { runs: 4_000, file: import.meta.url },
    fc.property(caseArbitrary, (c) => compareOn(libpcap, c)),
  );

  Deno.test("where libpcap's optimiser errs, a text means what it says", () => {
    const it = "02:00:00:00:00:02";
    const text = `not ether host ${it} or ether src and dst host ${it}`;
    // To a station whose last four bytes are the same, from that one.
    const frame = new Uint8Array(60);
    frame.set([0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 2, 8, 0]);
    const ours = compileText(text, { linkType: "ethernet" });
    ok(!matchesText(ours, frame, 0, frame.length, frame.length));
    using written = libpcap.compile(text, DLT.ethernet, { optimise: false });
    ok(!written.matches(frame, frame.length));
  });

  testProperty(
    "compileText() refuses what libpcap refuses of texts that are hardly right",
    { runs: 6_000, file: import.meta.url },
    fc.property(brokenArbitrary, (c) => {
      fc.pre(!incomparable(c.text));
      compareOn(libpcap, c);
    }),
  );

  testProperty(
    "arithmetic gives libpcap's value, bit for bit",
    { runs: 600, file: import.meta.url },
    fc.property(
      arithmeticArbitrary,
      linkedFrame("ethernet"),
      (value, frame) => compareBits(libpcap, value, frame),
    ),
  );

  testProperty(
    "addresses in every spelling are read as libpcap reads them",
    { runs: 3_000, file: import.meta.url },
    fc.property(
      fc.constantFrom("host", "ip6 host", "ether host", "net", "ip6 net"),
      addressArbitrary.filter((text) => !hasName(text)),
      fc.array(linkedFrame("ethernet"), { minLength: 1, maxLength: 1 }),
      fc.nat(),
      (type, address, frames, seed) =>
        compareOn(libpcap, {
          link: "ethernet",
          text: `${type} ${address}`,
          frames,
          seed,
          netmask: undefined,
        }),
    ),
  );

  testProperty(
    "each of the language's words means what it means to libpcap",
    { runs: 100, file: import.meta.url },
    fc.property(
      linkArbitrary.chain((link) =>
        fc.tuple(
          fc.constant(link),
          fc.array(linkedFrame(link), { minLength: 3, maxLength: 3 }),
        )
      ),
      fc.nat(),
      ([link, frames], seed) => {
        const netmask = undefined;
        for (const text of WORDS) {
          compareOn(libpcap, {
            link,
            text,
            frames,
            seed,
            netmask,
            steers: 16,
          });
        }
      },
    ),
  );

  testProperty(
    "protochain walks over headers as libpcap does",
    { runs: 3_000, file: import.meta.url },
    fc.property(
      fc.constantFrom("ip6 protochain", "ip protochain", "protochain"),
      fc.constantFrom(6, 17, 51, 44, 59, 0),
      headersArbitrary,
      (text, protocol, frame) =>
        compareOn(libpcap, {
          link: "raw",
          text: `${text} ${protocol}`,
          frames: [frame],
          seed: 1,
          netmask: undefined,
          steers: 0,
        }),
    ),
  );

  const partial = Deno.env.has("SALLYPORT_PATH") || runsOf(100) < 100;
  Deno.test({
    name: "the comparison with libpcap saw at least 100,000 packets",
    ignore: partial,
    fn() {
      console.log(counts);
      ok(counts.packets >= 100_000, `only ${counts.packets}`);
      ok(counts.matched >= counts.packets / 10, "too few matched");
      ok(counts.aborted >= counts.packets / 10, "too few were too short");
      ok(counts.optimiserErrs <= counts.texts / 1000, "no rare error");
    },
  });
}

/** Compares some bits of a value, on one packet. */
function compareBits(
  oracle: Libpcap,
  value: string,
  frame: Uint8Array<ArrayBuffer>,
): void {
  for (const bit of [0, 1, 5, 15, 31]) {
    const text = `(${value}) >> ${bit} & 1 = 1`;
    const netmask = undefined;
    compareOn(oracle, {
      link: "ethernet",
      text,
      frames: [frame],
      seed: bit,
      netmask,
    });
  }
}
