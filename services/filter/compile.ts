/** From the derivation tree to the programs that classify for it. */

import type { CapabilityNode } from "../../caps/kernel.ts";
import { SLOT_NONE } from "../../caps/memory.ts";
import type { KernelProgram, WasmProgram } from "../../caps/program.ts";
import { hasRights, RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/rights.ts";
import type { Tag } from "../../caps/tag.ts";
import { emitEbpf } from "./ebpf/emit.ts";
import type { Grant } from "./grant.ts";
import { type GrantNode, mergeTree } from "./tree.ts";
import { emitWasm } from "./wasm/emit.ts";

/** What programs are compiled for. */
export interface CompileTarget {
  /** 64 KiB pages of packet memory. */
  readonly memoryPages: number;
  /** Where the NIC classifies itself: what becomes of packets that are nobody's. */
  readonly kernel?: { readonly unclaimed: "kernel" | "drop" };
}

/** One tree, in each form that is wanted. */
export interface Compiled {
  readonly wasm: WasmProgram;
  readonly kernel?: KernelProgram;
}

/**
 * Compiles all that is derived from `root`.
 * @throws {FilterLimitError} and the like, when it is more than a program takes.
 */
export function compile(
  root: CapabilityNode<Grant>,
  target: CompileTarget,
): Compiled {
  const tree = mergeTree([...root.children].map(grantNodeOf));
  const all = [...root.children].flatMap(withDescendants);
  const sends = all
    .filter((node) => hasRights(node.rights, RIGHT_SEND))
    .map(({ slot, sends }) => ({ slot, grant: sends }));
  const wasm = emitWasm(tree, sends, target.memoryPages);
  if (target.kernel === undefined) return { wasm };
  const tags = new Map<number, Tag>(all.map(({ slot, tag }) => [slot, tag]));
  const kernel = emitEbpf(tree, (slot) => tags.get(slot)!, target.kernel);
  return { wasm, kernel };
}

function grantNodeOf(node: CapabilityNode<Grant>): GrantNode {
  return {
    slot: hasRights(node.rights, RIGHT_RECEIVE) ? node.slot : SLOT_NONE,
    grant: node.grant,
    children: [...node.children].map(grantNodeOf),
  };
}

function withDescendants(node: CapabilityNode<Grant>): CapabilityNode<Grant>[] {
  return [node, ...[...node.children].flatMap(withDescendants)];
}

/** The nearest ancestor that receives: who gets a revoked capability's packets. */
export function heirOf(node: CapabilityNode<Grant>): number {
  for (let up = node.parent; up !== undefined; up = up.parent) {
    if (hasRights(up.rights, RIGHT_RECEIVE)) return up.slot;
  }
  return SLOT_NONE;
}
