/**
 * Where a grant's flows are in a merged tree. The tests on the way to a flow
 * table and the table's key together are what one filter asks; so a flow that
 * asks for the very same, with other values in the key, belongs into that table,
 * whatever else the tree holds: siblings' grants share no frame, and so it does
 * not matter which of them is tried first.
 */

import type { Atom, Field, Filter } from "./atom.ts";
import type { FlowsBranch, TreeNode } from "./node.ts";
import type { Grant } from "../grant/grant.ts";
import { lowerGrant } from "./lower.ts";

/** A table, and a key in it. */
export interface FlowPlace {
  /** The table, by what it was in the tree. */
  readonly branch: FlowsBranch;
  /** A value for each of its fields. */
  readonly key: readonly number[];
}

/**
 * The places of all of a grant's filters in the tree of its siblings; undefined
 * when one of them is not a flow of a table that is there.
 */
export function locateFlows(
  siblings: TreeNode,
  grant: Grant,
): FlowPlace[] | undefined {
  const places: FlowPlace[] = [];
  for (const filter of lowerGrant(grant)) {
    const place = locate(siblings, filter);
    if (place === undefined) return undefined;
    places.push(place);
  }
  return places;
}

/** The place of what is left of a filter, from a node on. */
function locate(node: TreeNode, atoms: Filter): FlowPlace | undefined {
  for (const branch of node.branches) {
    if (branch.kind === "flows") {
      const key = keyOf(branch, atoms);
      if (key !== undefined) return { branch, key };
      continue;
    }
    const index = atoms.findIndex((atom) => asksFor(branch, atom));
    const atom = atoms[index];
    // Tests commute, but for those on the other side of a header.
    if (atom === undefined || !reachable(atoms, index)) continue;
    const then = branch.kind === "switch"
      ? caseOf(branch.cases, atom)
      : branch.then;
    const place = then && locate(then, atoms.toSpliced(index, 1));
    if (place !== undefined) return place;
  }
  return undefined;
}

type Inner = Exclude<TreeNode["branches"][number], FlowsBranch>;

/** Whether a branch is one of the ways on for what asks for `atom`. */
function asksFor(branch: Inner, atom: Atom): boolean {
  switch (branch.kind) {
    case "switch":
      return atom.op === "match" && sameField(branch, atom);
    case "range":
      return atom.op === "range" && sameField(branch, atom) &&
        atom.low === branch.low && atom.high === branch.high;
    case "header":
      return atom.op === branch.atom.op &&
        atom.offset === branch.atom.offset &&
        atom.protocol === branch.atom.protocol &&
        atom.fragment === branch.atom.fragment;
  }
}

function reachable(atoms: Filter, index: number): boolean {
  const isHeader = (atom: Atom) => atom.op === "ipv4" || atom.op === "ipv6";
  return isHeader(atoms[index]!)
    ? index === 0
    : !atoms.slice(0, index).some(isHeader);
}

/** By halves: the cases are sorted. */
function caseOf(
  cases: readonly { readonly value: number; readonly then: TreeNode }[],
  atom: Atom,
): TreeNode | undefined {
  if (atom.op !== "match") return undefined;
  let low = 0;
  let high = cases.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cases[middle]!.value < atom.value) low = middle + 1;
    else high = middle;
  }
  const found = cases[low];
  return found?.value === atom.value ? found.then : undefined;
}

/** The values of a table's fields, where a filter asks for these and nothing else. */
function keyOf(branch: FlowsBranch, atoms: Filter): number[] | undefined {
  if (atoms.length !== branch.fields.length) return undefined;
  const key: number[] = [];
  for (const field of branch.fields) {
    const atom = atoms.find((one) =>
      one.op === "match" && sameField(field, one)
    );
    if (atom?.op !== "match") return undefined;
    key.push(atom.value);
  }
  return key;
}

function sameField(a: Field, b: Field): boolean {
  return a.from === b.from && a.offset === b.offset && a.width === b.width &&
    a.mask === b.mask;
}
