/**
 * Walks a merged tree over a packet, one branch after the other: what every
 * backend's code must come to. It checks the merging apart from the code.
 */

import type { Field, HeaderAtom } from "../../services/filter/tree/atom.ts";
import type {
  Accept,
  Branch,
  TreeNode,
} from "../../services/filter/tree/node.ts";
import { readIpHeader } from "../../services/filter/tree/ip_header.ts";
import { matchesText } from "../../services/filter/language/interpret.ts";

/** The slot that `tree` chooses for `bytes[start .. start + length)`; 0 for none. */
export function runTree(
  tree: TreeNode,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  return runNode(tree, bytes.subarray(start, start + length), 0) ?? 0;
}

/** The slot decided on, or undefined when nothing on this way accepts. */
function runNode(
  node: TreeNode,
  frame: Uint8Array,
  base: number,
): number | undefined {
  for (const branch of node.branches) {
    const slot = runBranch(branch, frame, base);
    if (slot !== undefined) return slot;
  }
  return node.accept && runAccept(node.accept, frame);
}

function runAccept(accept: Accept, frame: Uint8Array): number {
  const { children, residual, slot } = accept;
  if (residual !== undefined) {
    return matchesText(residual.program, frame) ? slot : residual.otherwise;
  }
  return (children && runNode(children, frame, 0)) ?? slot;
}

function runBranch(
  branch: Branch,
  frame: Uint8Array,
  base: number,
): number | undefined {
  switch (branch.kind) {
    case "switch": {
      const value = load(branch, frame, base);
      const found = branch.cases.find((one) => one.value === value);
      return found && runNode(found.then, frame, base);
    }
    case "range": {
      const value = load(branch, frame, base);
      return value !== undefined && value >= branch.low && value <= branch.high
        ? runNode(branch.then, frame, base)
        : undefined;
    }
    case "header": {
      const end = pastHeader(branch.atom, frame, base);
      return end === undefined ? undefined : runNode(branch.then, frame, end);
    }
    case "flows": {
      const key = branch.fields.map((field) => load(field, frame, base));
      const found = branch.entries.find((entry) =>
        entry.key.every((value, index) => value === key[index])
      );
      return found && runAccept(found.accept, frame);
    }
  }
}

function pastHeader(
  atom: HeaderAtom,
  frame: Uint8Array,
  base: number,
): number | undefined {
  const header = readIpHeader(atom.op, frame, base + atom.offset);
  if (header === undefined) return undefined;
  if (atom.fragment === "whole" && header.fragment) return undefined;
  if (atom.fragment === "fragment" && !header.fragment) return undefined;
  if (atom.protocol !== undefined && atom.protocol !== header.protocol) {
    return undefined;
  }
  return header.end;
}

function load(
  field: Field,
  frame: Uint8Array,
  base: number,
): number | undefined {
  const at = field.offset + (field.from === "base" ? base : 0);
  if (at + field.width > frame.length) return undefined;
  let value = 0;
  for (let index = at; index < at + field.width; index++) {
    value = value * 256 + frame[index]!;
  }
  return (value & field.mask) >>> 0;
}
