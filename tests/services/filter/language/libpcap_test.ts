/**
 * Filter texts against the system's libpcap: what it refuses, and for each
 * packet, whole or cut short, what it matches.
 */

import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { FilterError } from "../../../../services/filter/language/error.ts";
import { Lexer } from "../../../../services/filter/language/lexer.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import type { Program } from "../../../../services/filter/language/ir.ts";
import {
  addressArbitrary,
  arithmeticArbitrary,
  expressionArbitrary,
  PROTOCOLS,
} from "../../../arbitraries/expressions.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import type { FrameLink } from "../../../arbitraries/linked_frames.ts";
import { testWith, whyMissing } from "../../../needs.ts";
import {
  masksWithAllOnes,
  outcomeOf,
  steer,
} from "../../../oracles/classic_bpf.ts";
import { DLT, LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";
import type { LibpcapFilter } from "../../../oracles/libpcap.ts";
import { runsOf, testProperty } from "../../../property.ts";
import { knownDifference } from "./known_differences.ts";

const NEEDS = [`library:${LIBPCAP}`] as const;
const missing = whyMissing(NEEDS[0]) !== undefined;
const libpcap = missing ? undefined : new Libpcap();

const linkArbitrary = fc.constantFrom<FrameLink>(
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

/** Tokens in no order. No names: libpcap would ask the network about them. */
const SOUP =
  ("( ) ( ) not ! and or && || = != < <= > >= + - * / % & | ^ << >> " +
    "[ ] [0] [2:2] [8:4] : 0 1 4 53 80 0x10 tcp-syn icmptype len ip tcp udp ip6 " +
    "arp ether host net port portrange proto protochain src dst src dst 10.0.0.1 " +
    "10.0 2001:db8::1 ::/0 /8 mask 255.0.0.0 02:00:00:00:00:01 less greater byte " +
    "broadcast multicast vlan mpls pppoes pppoed llc inbound gateway decnet iso " +
    "isis l1 stp icmp icmp6 vpi type reason radio $1 ipx").split(" ");
const PHRASES = ["portrange 53-80", "proto \\tcp", "port domain", "llc ui"];

const soupArbitrary = fc.array(fc.constantFrom(...SOUP, ...PHRASES), {
  minLength: 1,
  maxLength: 9,
}).map((words) => words.join(" "));

/** Texts of the grammar with words missing, doubled or exchanged. */
const mutatedArbitrary = fc.tuple(
  expressionArbitrary,
  fc.array(fc.tuple(fc.nat(), fc.constantFrom(...SOUP), fc.nat(3)), {
    minLength: 1,
    maxLength: 3,
  }),
).map(([text, changes]) => {
  const words = text.split(" ");
  for (const [place, word, how] of changes) {
    const at = place % words.length;
    if (how === 0) words.splice(at, 1);
    else if (how === 1) words.splice(at, 0, word);
    else if (how === 2) words[at] = word;
    else words.splice(at, 0, words[at] ?? word);
  }
  return words.join(" ");
}).filter((text) => !hasName(text));

const brokenArbitrary = fc.record({
  link: fc.constantFrom<FrameLink>("ethernet", "ethernet", "sll2", "raw"),
  text: fc.oneof(soupArbitrary, mutatedArbitrary),
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
    },
  });
}

const counts = {
  texts: 0,
  refused: 0,
  packets: 0,
  matched: 0,
  aborted: 0,
  optimiserDiffers: 0,
  endless: 0,
};

interface Case {
  readonly link: FrameLink;
  readonly text: string;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
  readonly seed: number;
  readonly netmask: number | undefined;
  /** Steered copies of each frame; 3 when not given. */
  readonly steers?: number;
}

/** Whether libpcap might ask the network about a word of the text. */
function hasName(text: string): boolean {
  const rest = PHRASES.reduce((t, phrase) => t.replaceAll(phrase, ""), text);
  const lexer = new Lexer(rest);
  try {
    for (;;) {
      const { kind } = lexer.next();
      if (kind === "name") return true;
      if (kind === "end") return false;
    }
  } catch (error) {
    if (error instanceof FilterError) return false;
    throw error;
  }
}

/**
 * Texts whose meaning in libpcap 1.10.3 is an accident: `byte N & M` forgets to
 * load the byte, and after `geneve` in a disjunction registers are read that
 * were never written.
 */
function incomparable(text: string): boolean {
  return /byte \S+ [&|]/.test(text) || text.includes("geneve");
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

/** Compares on all packets that a case leads to. */
function compareOn(oracle: Libpcap, given: Case): void {
  const { link, text, netmask } = given;
  counts.texts++;
  const mask = netmask === undefined ? {} : { netmask };
  const ours = attempt(() => compileText(text, { linkType: link, ...mask }));
  const theirs = attempt(() =>
    oracle.compile(text, DLT[link], { optimise: false, ...mask })
  );
  if (typeof ours === "string" || typeof theirs === "string") {
    counts.refused++;
    compareRefusals(ours, theirs, text, link);
    if (typeof theirs !== "string") theirs[Symbol.dispose]();
    return;
  }
  const optimised = attempt(() => oracle.compile(text, DLT[link], mask));
  try {
    for (const packet of packetsOf(theirs, given)) {
      comparePacket(ours, theirs, optimised, packet);
    }
  } finally {
    theirs[Symbol.dispose]();
    if (typeof optimised !== "string") optimised[Symbol.dispose]();
  }
}

function compareRefusals(
  ours: Program | string,
  theirs: LibpcapFilter | string,
  text: string,
  link: FrameLink,
): void {
  if (typeof ours === typeof theirs) return;
  const [mine, other] = [ours, theirs].map((answer) =>
    typeof answer === "string" ? answer : undefined
  );
  if (knownDifference({ text, link, ours: mine, theirs: other })) return;
  strictEqual(mine, other, `of ${JSON.stringify(text)} on ${link}`);
}

/** The frames, steered copies of them, and two cut at every length. */
function packetsOf(
  theirs: LibpcapFilter,
  { frames, seed, steers = 3 }: Case,
): Uint8Array<ArrayBuffer>[] {
  const program = theirs.instructions;
  const choose = coin(seed);
  const steered = frames.flatMap((frame) =>
    Array.from({ length: steers }, () => steer(program, frame, choose))
  );
  const packets = [...frames, ...steered];
  for (const whole of [packets[0]!, packets[packets.length - 1]!]) {
    for (let n = 0; n < whole.length; n++) packets.push(whole.slice(0, n));
  }
  return packets;
}

function comparePacket(
  ours: Program,
  theirs: LibpcapFilter,
  optimised: LibpcapFilter | string,
  packet: Uint8Array<ArrayBuffer>,
): void {
  const wireLength = packet.length + 4;
  const outcome = outcomeOf(theirs.instructions, packet, wireLength);
  const mine = matchesText(ours, packet, 0, packet.length, wireLength);
  if (outcome === undefined) {
    // A chain of headers that leads back into itself: libpcap never ends.
    counts.endless++;
    strictEqual(mine, false);
    return;
  }
  counts.packets++;
  if (mine) counts.matched++;
  if (outcome === "abort") counts.aborted++;
  strictEqual(mine, theirs.matches(packet, wireLength), "bpf_filter()");
  strictEqual(mine, theirs.matchesOffline(packet, wireLength));
  strictEqual(mine, outcome === "match", "classic_bpf.ts");
  if (typeof optimised === "string") return;
  if (optimised.matches(packet, wireLength) === mine) return;
  // The optimiser removes loads whose value decides nothing; so it only ever
  // lets through what the program as written rejects for its length.
  counts.optimiserDiffers++;
  if (masksWithAllOnes(theirs.instructions, packet, wireLength)) return;
  strictEqual(outcome, "abort", "the optimiser changed more than an abort");
}

function attempt<T>(compile: () => T): T | string {
  try {
    return compile();
  } catch (error) {
    const refused = error instanceof FilterError ||
      (error instanceof Error && error.constructor === Error);
    if (!refused) throw error;
    return error.message;
  }
}

/** Fair throws from a seed (xorshift32). */
function coin(seed: number): () => boolean {
  let state = (seed | 1) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state & 64) !== 0;
  };
}
