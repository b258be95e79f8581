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
import { expressionArbitrary } from "../../../arbitraries/expressions.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import type { FrameLink } from "../../../arbitraries/linked_frames.ts";
import { testWith, whyMissing } from "../../../needs.ts";
import { outcomeOf, steer } from "../../../oracles/classic_bpf.ts";
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

/** Compares on all packets that a case leads to. */
function compareOn(
  oracle: Libpcap,
  { link, text, frames, seed, netmask }: Case,
): void {
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
    for (const packet of packetsOf(theirs, frames, seed)) {
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

/** The frames, three steered copies of each, and two cut at every length. */
function packetsOf(
  theirs: LibpcapFilter,
  frames: readonly Uint8Array<ArrayBuffer>[],
  seed: number,
): Uint8Array<ArrayBuffer>[] {
  const program = theirs.instructions;
  const choose = coin(seed);
  const steered = frames.flatMap((frame) => [
    steer(program, frame, choose),
    steer(program, frame, choose),
    steer(program, frame, choose),
  ]);
  const packets = [...frames, ...steered];
  for (const whole of [frames[0]!, steered[0]!]) {
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
