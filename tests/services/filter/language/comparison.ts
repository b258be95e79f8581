/** Comparing a text, ours and libpcap's, on all the packets that a case leads to. */

import { fail, strictEqual } from "node:assert/strict";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { FilterError } from "../../../../services/filter/language/error.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import type { Program } from "../../../../services/filter/language/ir.ts";
import type { LinkType } from "../../../../services/wire/link_type.ts";
import {
  masksWithAllOnes,
  outcomeOf,
  steer,
} from "../../../oracles/classic_bpf.ts";
import {
  DLT,
  type Libpcap,
  type LibpcapFilter,
} from "../../../oracles/libpcap.ts";
import { knownDifference } from "./known_differences.ts";

/** What was compared so far. */
export const counts = {
  texts: 0,
  refused: 0,
  packets: 0,
  matched: 0,
  aborted: 0,
  optimiserDiffers: 0,
  /** Texts that the optimiser made to mean something else. */
  optimiserErrs: 0,
  endless: 0,
};

/** A text and packets to compare it on. */
export interface Case {
  readonly link: LinkType;
  readonly text: string;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
  readonly seed: number;
  readonly netmask: number | undefined;
  /** Steered copies of each frame; 3 by default. */
  readonly steers?: number;
}

/** Compares on all packets that a case leads to. */
export function compareOn(oracle: Libpcap, given: Case): void {
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
  const erred = { optimiser: false };
  try {
    for (const packet of packetsOf(theirs, given)) {
      const problem = problemOf(ours, { theirs, optimised, erred }, packet);
      if (problem === undefined) continue;
      const bytes = `[${[...packet].join(", ")}]`;
      fail(`${problem}: ${JSON.stringify(text)} on ${link}, of ${bytes}`);
    }
    if (erred.optimiser) counts.optimiserErrs++;
  } finally {
    theirs[Symbol.dispose]();
    if (typeof optimised !== "string") optimised[Symbol.dispose]();
  }
}

function compareRefusals(
  ours: Program | string,
  theirs: LibpcapFilter | string,
  text: string,
  link: LinkType,
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

/** What is wrong between ours and theirs on one packet; undefined for nothing. */
function problemOf(
  ours: Program,
  { theirs, optimised, erred }: {
    readonly theirs: LibpcapFilter;
    readonly optimised: LibpcapFilter | string;
    readonly erred: { optimiser: boolean };
  },
  packet: Uint8Array<ArrayBuffer>,
): string | undefined {
  const wireLength = packet.length + 4;
  const outcome = outcomeOf(theirs.instructions, packet, wireLength);
  const mine = matchesText(ours, packet, 0, packet.length, wireLength);
  if (outcome === undefined) {
    // A chain of headers that leads back into itself: libpcap never ends.
    counts.endless++;
    return mine ? "a chain without an end matched" : undefined;
  }
  counts.packets++;
  if (mine) counts.matched++;
  if (outcome === "abort") counts.aborted++;
  if (theirs.matches(packet, wireLength) !== mine) {
    return "bpf_filter() differs";
  }
  if (theirs.matchesOffline(packet, wireLength) !== mine) {
    return "pcap_offline_filter() differs";
  }
  if ((outcome === "match") !== mine) return "classic_bpf.ts differs";
  if (typeof optimised === "string") return undefined;
  if (optimised.matches(packet, wireLength) === mine) return undefined;
  // The optimiser removes loads whose value decides nothing, and so lets
  // through what the program as written rejects for its length; and it adds
  // constant indices to the loads' own offsets, which do not wrap around, and
  // so rejects where a negative index would lead back into the packet.
  counts.optimiserDiffers++;
  if (masksWithAllOnes(theirs.instructions, packet, wireLength)) {
    return undefined;
  }
  const other = outcomeOf(optimised.instructions, packet, wireLength);
  // Now and then it is wrong: what is meant is the program as it was written.
  if (outcome !== "abort" && other !== "abort") erred.optimiser = true;
  return undefined;
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
