/**
 * Which grants' trees are written again wherever a way ends in the grant, and
 * which once, as a function. Written in place, a tree need not ask again what
 * was asked on the way; but a grant of many conjunctions has many ways to it.
 */

import type { Accept, Branch, TreeNode } from "../tree/node.ts";

/** A tree of more branches than this is written in one place only. */
const BRANCHES_MAX = 200;

/** A tree that more ways than this lead to is written in one place only. */
const WAYS_MAX = 8;

/** The accepts of `tree` whose children are to be written in place. */
export function inlinedAccepts(tree: TreeNode): ReadonlySet<Accept> {
  const ways = new Map<Accept, number>();
  countWays(tree, ways);
  const inlined = new Set<Accept>();
  const sizes = new Map<Accept, number>();
  const sizeOf = (node: TreeNode): number => {
    let size = 0;
    for (const branch of node.branches) {
      size += 1;
      for (const next of nodesAfter(branch)) size += sizeOf(next);
      for (const accept of acceptsAfter(branch)) size += sizeOfAccept(accept);
    }
    return size + (node.accept === undefined ? 0 : sizeOfAccept(node.accept));
  };
  const sizeOfAccept = (accept: Accept): number => {
    if (accept.children === undefined) return 0;
    const size = sizes.get(accept) ?? sizeOf(accept.children);
    sizes.set(accept, size);
    const count = ways.get(accept)!;
    if (count > 1 && (count > WAYS_MAX || size > BRANCHES_MAX)) return 1;
    inlined.add(accept);
    return size;
  };
  sizeOf(tree);
  return inlined;
}

/** Counts how often the tree ends in each accept that has children. */
function countWays(node: TreeNode, ways: Map<Accept, number>): void {
  const accepts = node.accept === undefined ? [] : [node.accept];
  for (const branch of node.branches) {
    for (const next of nodesAfter(branch)) countWays(next, ways);
    accepts.push(...acceptsAfter(branch));
  }
  for (const accept of accepts) {
    if (accept.children === undefined) continue;
    const count = ways.get(accept) ?? 0;
    ways.set(accept, count + 1);
    if (count === 0) countWays(accept.children, ways);
  }
}

function nodesAfter(branch: Branch): readonly TreeNode[] {
  switch (branch.kind) {
    case "switch":
      return branch.cases.map((one) => one.then);
    case "flows":
      return [];
    default:
      return [branch.then];
  }
}

function acceptsAfter(branch: Branch): readonly Accept[] {
  return branch.kind === "flows"
    ? branch.entries.flatMap(({ accept }) =>
      accept.children === undefined ? [] : [accept]
    )
    : [];
}
