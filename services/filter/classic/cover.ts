/**
 * What a packet socket is to take: every packet that somebody is granted, and,
 * where that keeps the program short, more. It is for the kernel to run, so that
 * packets that are nobody's cost neither a copy nor a wake-up; whose the others
 * are is decided in packet memory.
 *
 * The program is a list of blocks, one for each conjunction; the first that
 * holds takes the packet. Each packet on the interface pays for the list, so it
 * is bounded: where it would be longer, ports and protocols are left out, which
 * makes many conjunctions the same one, and where that does not do, everything
 * is taken.
 *
 * It differs from the grants in these, always towards taking more:
 *
 * - of a frame with a VLAN tag only the Ethernet addresses and the VLAN's number
 *   are compared: the kernel has taken the tag out, and what it stood in front
 *   of lies elsewhere;
 * - IPv6 extension headers are not walked: a packet with one is taken when the
 *   addresses fit;
 * - filter text is left out: it only narrows.
 */

import { given } from "../../../caps/kernel/given.ts";
import type { SocketFilter } from "../../../caps/driver/program.ts";
import type { Atom, Filter, HeaderAtom } from "../tree/atom.ts";
import {
  advanceIndex,
  type ClassicInstruction,
  closeBlock,
  encodeClassic,
  jump,
  loadAt,
  loadHeaderLength,
  loadIndexed,
  loadLength,
  loadVlanTag,
  loadVlanTagPresent,
  mask,
  mustDiffer,
  mustEqual,
  mustNotExceed,
  mustReach,
  mustReachIndex,
  skipIfEqual,
  take,
} from "./instruction.ts";
import type { Conjunction, Grant } from "../grant/grant.ts";
import { lowerConjunction } from "../tree/lower.ts";
import type { GrantNode } from "../tree/merge.ts";
import { receivedGrants } from "../tree/receivers.ts";
import { ConjunctionSet } from "../grant/conjunction_set.ts";
import {
  ETHERTYPE,
  IPV6_EXTENSION,
  WALKED_EXTENSIONS,
} from "../../wire/numbers.ts";

/** The most instructions: a quarter of what the kernel takes (BPF_MAXINSNS). */
export const SOCKET_INSTRUCTIONS_MAX = 1024;

/** Bytes that are taken of a packet: all, whatever its size. */
const WHOLE = 0x40000;

/** Takes all packets of a set of grants, and some more. */
export class SocketCover {
  readonly #conjunctions = new ConjunctionSet();

  /** Covers what `roots` and all that is derived from them receive, and what is `observed`. */
  constructor(roots: readonly GrantNode[], observed: readonly Grant[] = []) {
    for (const grant of [...receivedGrants(roots), ...observed]) {
      this.#conjunctions.addAll(grant);
    }
  }

  /** Whether another grant is surely covered, too. */
  takes(grant: Grant): boolean {
    return this.#conjunctions.hasAll(grant);
  }

  /** The program. */
  emit(): SocketFilter {
    const all = this.#conjunctions.grant;
    return encodeClassic(
      programOf(all) ?? programOf(all.map(withoutContents)) ?? [take(WHOLE)],
    );
  }
}

/** Widens a conjunction: no more than an Ethernet type is asked of what the frame carries. */
function withoutContents(conjunction: Conjunction): Conjunction {
  const { payload, ...others } = conjunction;
  if (payload === undefined) return conjunction;
  return {
    ...others,
    payload: payload.kind === "type"
      ? payload
      : { kind: "type", etherType: ETHERTYPE[payload.kind] },
  };
}

/** The whole program; undefined when it is too long. */
function programOf(
  conjunctions: readonly Conjunction[],
): ClassicInstruction[] | undefined {
  const tagged = blocks(
    conjunctions.filter(({ vlan, payload }) =>
      vlan !== undefined || payload === undefined
    ).map(taggedBlock),
  );
  const plain = blocks(conjunctions.flatMap(lowerConjunction).map(plainBlock));
  const program = [
    loadVlanTagPresent(),
    skipIfEqual(1, 1),
    // Conditional jumps are short; this one goes over any number of blocks.
    jump(tagged.length + 1),
    ...tagged,
    take(0),
    ...plain,
    take(0),
  ];
  return program.length <= SOCKET_INSTRUCTIONS_MAX ? program : undefined;
}

/** Joins blocks, each different one once. */
function blocks(
  all: readonly (readonly ClassicInstruction[])[],
): ClassicInstruction[] {
  const once = new Map(all.map((block) => [JSON.stringify(block), block]));
  return [...once.values()].flatMap((block) =>
    closeBlock([...block, take(WHOLE)])
  );
}

/** The frame's tag was taken out: what of a conjunction can still be asked. */
function taggedBlock(
  { etherDst, etherSrc, vlan }: Conjunction,
): ClassicInstruction[] {
  const addresses: Conjunction = {
    ...given({ etherDst, etherSrc }),
  };
  const block = lowerConjunction(addresses).flatMap(plainBlock);
  if (typeof vlan !== "number") return block;
  return [...block, loadVlanTag(), mask(0x0fff), mustEqual(vlan)];
}

/** The frame is as it was on the wire. */
function plainBlock(filter: Filter): ClassicInstruction[] {
  const header = filter.find((atom): atom is HeaderAtom =>
    atom.op === "ipv4" || atom.op === "ipv6"
  );
  const fields = filter.filter((atom): atom is FieldAtom => atom !== header);
  const fixed = fields.filter(({ from }) => from === "frame");
  const behind = fields.filter(({ from }) => from === "base");
  // What does not reach its fields does not match: a load would end the program.
  const ends = fixed.map(({ offset, width }) => offset + width);
  if (header !== undefined) {
    ends.push(header.offset + (header.op === "ipv4" ? 20 : 40));
  }
  const size = Math.max(0, ...ends);
  return [
    ...(size === 0 ? [] : [loadLength(), mustReach(size)]),
    ...fixed.flatMap((atom) => [
      loadAt(atom.width, atom.offset),
      ...compare(atom),
    ]),
    ...(header === undefined
      ? []
      : header.op === "ipv4"
      ? behindIpv4(header, behind)
      : behindIpv6(header, behind)),
  ];
}

type FieldAtom = Exclude<Atom, HeaderAtom>;

/** Compares what was loaded. */
function compare(atom: FieldAtom): ClassicInstruction[] {
  const whole = atom.width === 4 ? 0xffffffff : 2 ** (atom.width * 8) - 1;
  const masked = atom.mask === whole ? [] : [mask(atom.mask)];
  return atom.op === "match"
    ? [...masked, mustEqual(atom.value)]
    : [...masked, mustReach(atom.low), mustNotExceed(atom.high)];
}

/** RFC 791, section 3.1: flags and offset at 6, protocol at 9. */
function behindIpv4(
  { offset, protocol, fragment }: HeaderAtom,
  fields: readonly FieldAtom[],
): ClassicInstruction[] {
  const code: ClassicInstruction[] = [];
  if (protocol !== undefined) {
    code.push(loadAt(1, offset + 9), mustEqual(protocol));
  }
  if (fragment !== "any") {
    // Neither more fragments nor an offset, or one of them.
    const check = fragment === "whole" ? mustEqual(0) : mustDiffer(0);
    code.push(loadAt(2, offset + 6), mask(0x3fff), check);
  }
  if (fields.length === 0) return code;
  const end = Math.max(...fields.map((field) => field.offset + field.width));
  code.push(
    loadHeaderLength(offset),
    ...advanceIndex(offset + end),
    loadLength(),
    mustReachIndex(),
    loadHeaderLength(offset),
  );
  for (const field of fields) {
    code.push(
      loadIndexed(field.width, offset + field.offset),
      ...compare(field),
    );
  }
  return code;
}

/** RFC 8200, section 3: next header at 6, and what it names at 40. */
function behindIpv6(
  { offset, protocol, fragment }: HeaderAtom,
  fields: readonly FieldAtom[],
): ClassicInstruction[] {
  const parts = fragment === "fragment";
  if (protocol === undefined && fields.length === 0 && !parts) return [];
  // A fragment has a header that says so, and was taken for it already.
  const rest: ClassicInstruction[] = parts
    ? [mustEqual(IPV6_EXTENSION.fragment)]
    : [];
  if (protocol !== undefined) rest.push(mustEqual(protocol));
  if (fields.length > 0) {
    const end = Math.max(...fields.map((field) => field.offset + field.width));
    rest.push(loadLength(), mustReach(offset + 40 + end));
  }
  for (const field of fields) {
    rest.push(
      loadAt(field.width, offset + 40 + field.offset),
      ...compare(field),
    );
  }
  const headers = WALKED_EXTENSIONS;
  return [
    loadAt(1, offset + 6),
    // Behind an extension header could be anything: taken, past all the rest.
    ...headers.map((header, index) =>
      skipIfEqual(header, headers.length - 1 - index + rest.length)
    ),
    ...rest,
  ];
}
