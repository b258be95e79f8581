/**
 * Merges the grants of a whole derivation tree into one decision tree, as DPF
 * (Engler and Kaashoek, SIGCOMM 1996) merges filters: what siblings ask alike is
 * asked once, and where they differ in a value only, one load chooses among
 * them. Many exact flows of one shape become one table.
 *
 * The order in which siblings are given does not matter: the same grants give
 * the same tree.
 */

import type { Atom, Field, Filter, HeaderAtom } from "./atom.ts";
import type { Accept, Branch, TreeNode } from "./node.ts";
import type { Grant } from "../grant/grant.ts";
import type { Program } from "../language/ir.ts";
import { lowerGrant } from "./lower.ts";

/** A grant in the derivation tree. Siblings' grants must not overlap. */
export interface GrantNode {
  /** Who receives its packets, from 1 to {@link SLOT_MAX}; 0 when it does not receive. */
  readonly slot: number;
  /** Which packets these are, of its parent's. */
  readonly grant: Grant;
  /**
   * Which of those it receives, in filter text of link type Ethernet; the rest is
   * its nearest receiving ancestor's. Of a leaf only: it separates no siblings.
   */
  readonly residual?: Program;
  /** The grants derived from it: each takes its own of this one's packets. */
  readonly children: readonly GrantNode[];
}

/** The greatest slot. */
export const SLOT_MAX = 0x3fffffff;

/** The most derivations from a root to a leaf. */
export const DEPTH_MAX = 64;

/** From how many exact flows of one shape on they become a table. */
const FLOWS_MIN = 6;

/** A set of grants that is more than a classifier takes. */
export class FilterLimitError extends Error {
  /** For telling it apart where classes are lost. */
  override readonly name = "FilterLimitError";
}

/**
 * The decision tree of `roots` and all that is derived from them.
 *
 * A packet that ends in a node with slot 0 is its nearest receiving ancestor's.
 * The {@link Accept} of one grant is one object wherever the tree ends in it, so
 * that a backend can write what follows once; `accepts` is filled with them.
 *
 * @throws {FilterLimitError} beyond {@link DEPTH_MAX} or {@link SLOT_MAX}, and
 * for a residual that is not a leaf's or of another link type.
 */
export function mergeTree(
  roots: readonly GrantNode[],
  accepts: Map<GrantNode, Accept> = new Map(),
): TreeNode {
  return mergeSiblings(roots, { fallback: 0, depth: 0, accepts });
}

/** Where siblings are in the derivation tree. */
interface Level {
  /** Who gets what none of them receives. */
  readonly fallback: number;
  readonly depth: number;
  /** Filled with what each grant became. */
  readonly accepts: Map<GrantNode, Accept>;
}

function mergeSiblings(
  siblings: readonly GrantNode[],
  level: Level,
): TreeNode {
  if (level.depth >= DEPTH_MAX) {
    throw new FilterLimitError(
      `filter: grants are derived more than ${DEPTH_MAX} deep`,
    );
  }
  const rests: Rest[] = [];
  for (const node of siblings) {
    const accept = acceptOf(node, level);
    level.accepts.set(node, accept);
    for (const filter of lowerGrant(node.grant)) {
      rests.push({ filter, at: 0, accept });
    }
  }
  return merge(rests);
}

function acceptOf(node: GrantNode, level: Level): Accept {
  const { slot, children, residual } = node;
  const { fallback } = level;
  if (!Number.isInteger(slot) || slot < 0 || slot > SLOT_MAX) {
    throw new FilterLimitError(
      `filter: slot ${slot}; expected a whole number from 0 to ${SLOT_MAX}`,
    );
  }
  const own = slot === 0 ? fallback : slot;
  if (residual !== undefined) {
    checkResidual(residual, children);
    if (own === fallback) return { slot: own };
    return { slot: own, residual: { program: residual, otherwise: fallback } };
  }
  if (children.length === 0) return { slot: own };
  const below = { ...level, fallback: own, depth: level.depth + 1 };
  return { slot: own, children: mergeSiblings(children, below) };
}

function checkResidual(
  residual: Program,
  children: readonly GrantNode[],
): void {
  if (residual.linkType !== "ethernet") {
    throw new FilterLimitError(
      `filter: filter text for link type ${residual.linkType} on a grant; expected ethernet`,
    );
  }
  if (children.length > 0) {
    throw new FilterLimitError(
      "filter: grants are derived from one that has filter text; only a leaf may have it",
    );
  }
}

/** What is still to be asked of a filter: its atoms from `at` on. */
interface Rest {
  readonly filter: Filter;
  readonly at: number;
  readonly accept: Accept;
}

/** A branch with what orders it among its siblings. */
interface Weighed {
  readonly branch: Branch;
  /** How many filters go this way: the busiest is tried first. */
  readonly weight: number;
  readonly key: string;
}

function merge(rests: readonly Rest[]): TreeNode {
  const done = rests.find((rest) => rest.at === rest.filter.length);
  const groups = new Map<string, Rest[]>();
  for (const rest of rests) {
    const head = rest.filter[rest.at];
    if (head !== undefined) append(groups, headKey(head), rest);
  }
  const weighed: Weighed[] = [];
  for (const [key, group] of groups) {
    const head = group[0]!.filter[group[0]!.at]!;
    if (head.op === "match") weighed.push(...mergeMatches(head, group, key));
    else {
      const branch = moveOn(head, merge(group.map(next)));
      weighed.push({ branch, weight: group.length, key });
    }
  }
  weighed.sort((a, b) => b.weight - a.weight || (a.key < b.key ? -1 : 1));
  const branches = weighed.map((one) => one.branch);
  return done === undefined ? { branches } : { branches, accept: done.accept };
}

function moveOn(
  head: HeaderAtom | Extract<Atom, { op: "range" }>,
  then: TreeNode,
): Branch {
  if (head.op !== "range") return { kind: "header", atom: head, then };
  const { low, high } = head;
  return { kind: "range", ...fieldOf(head), low, high, then };
}

/** The branches of filters that all ask about the same field first. */
function mergeMatches(
  field: Field,
  group: readonly Rest[],
  key: string,
): Weighed[] {
  const first = valueOf(group[0]!);
  const alike = group.every((rest) => valueOf(rest) === first);
  if (alike || group.length < FLOWS_MIN) {
    return [{ branch: switchOf(field, group), weight: group.length, key }];
  }
  const shapes = new Map<string, Rest[]>();
  for (const rest of group) append(shapes, shapeKey(rest), rest);
  const others: Rest[] = [];
  const weighed: Weighed[] = [];
  for (const [shape, flows] of shapes) {
    if (shape === "" || flows.length < FLOWS_MIN) others.push(...flows);
    else {
      const branch = flowsOf(flows);
      weighed.push({ branch, weight: flows.length, key: `flows ${shape}` });
    }
  }
  if (others.length > 0) {
    const branch = switchOf(field, others);
    weighed.push({ branch, weight: others.length, key });
  }
  return weighed;
}

function switchOf(field: Field, group: readonly Rest[]): Branch {
  const byValue = new Map<number, Rest[]>();
  for (const rest of group) append(byValue, valueOf(rest), next(rest));
  const cases = [...byValue]
    .sort(([a], [b]) => a - b)
    .map(([value, rests]) => ({ value, then: merge(rests) }));
  return { kind: "switch", ...fieldOf(field), cases };
}

/**
 * One table for flows of one shape. Fields in which all agree are asked before,
 * so that the key is no longer than it must be.
 */
function flowsOf(flows: readonly Rest[]): Branch {
  const shape = flows[0]!.filter.slice(flows[0]!.at).map(matchOf);
  const differs = shape.map((atom, index) =>
    flows.some((rest) => matchAt(rest, index).value !== atom.value)
  );
  const entries = flows.map((rest) => ({
    key: shape.flatMap((_, index) =>
      differs[index] ? [matchAt(rest, index).value] : []
    ),
    accept: rest.accept,
  })).sort((a, b) => compareKeys(a.key, b.key));
  const table: Branch = {
    kind: "flows",
    fields: shape.filter((_, index) => differs[index]).map(fieldOf),
    entries: entries.filter((entry, index) =>
      index === 0 || compareKeys(entry.key, entries[index - 1]!.key) !== 0
    ),
  };
  return shape.filter((_, index) => !differs[index]).reduceRight<Branch>(
    (branch, atom) => ({
      kind: "switch",
      ...fieldOf(atom),
      cases: [{ value: atom.value, then: { branches: [branch] } }],
    }),
    table,
  );
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function next(rest: Rest): Rest {
  return { ...rest, at: rest.at + 1 };
}

type Match = Extract<Atom, { op: "match" }>;

function matchOf(atom: Atom): Match {
  if (atom.op !== "match") throw new Error("filter: expected a match");
  return atom;
}

function matchAt(rest: Rest, index: number): Match {
  return matchOf(rest.filter[rest.at + index]!);
}

function valueOf(rest: Rest): number {
  return matchAt(rest, 0).value;
}

function fieldOf(field: Field): Field {
  const { from, offset, width, mask } = field;
  return { from, offset, width, mask };
}

function fieldKey(field: Field): string {
  return `${field.from}+${field.offset}:${field.width}&${field.mask}`;
}

function headKey(atom: Atom): string {
  switch (atom.op) {
    case "match":
      return `match ${fieldKey(atom)}`;
    case "range":
      return `range ${fieldKey(atom)} ${atom.low}-${atom.high}`;
    default:
      return `${atom.op} ${atom.offset} ${atom.fragment} ${atom.protocol}`;
  }
}

/** The fields that are left, when all are matches; else "". */
function shapeKey(rest: Rest): string {
  let shape = "";
  for (let at = rest.at; at < rest.filter.length; at++) {
    const atom = rest.filter[at]!;
    if (atom.op !== "match") return "";
    shape += `${fieldKey(atom)} `;
  }
  return shape;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
