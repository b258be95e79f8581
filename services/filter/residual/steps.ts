/**
 * Length checks, as few as keep the meaning. What ends in a rejection need not
 * be told from what aborts, so where every way to an acceptance needs so many
 * bytes, one check asks for them all, and what comes after asks no more.
 */

import { type Decision, targetsOf, valuesOf } from "./decision.ts";
import type { Values } from "./values.ts";

/** A decision with the check that comes before it. */
export interface Step {
  readonly decision: Decision;
  /** Shorter packets are rejected before; 0 where there is nothing to check. */
  readonly check: number;
  /** How many ways lead to it. */
  readonly ways: number;
}

/** The most bytes of a packet: a load that ends beyond always aborts. */
export const PACKET_BYTES_MAX = 0x7fffffff;

/** The decisions of a graph, each before what it leads to, the ends left out. */
export function stepsOf(values: Values, root: Decision): Step[] {
  const order = ordered(root);
  const needs = new Map<Decision, number>();
  const waysTo = new Map<Decision, number>();
  for (const decision of order.toReversed()) {
    needs.set(decision, bytesToAccept(values, decision, needs));
    for (const target of targetsOf(decision)) {
      waysTo.set(target, (waysTo.get(target) ?? 0) + 1);
    }
  }
  const there = new Map<Decision, number>([[root, 0]]);
  const steps: Step[] = [];
  for (const decision of order) {
    if (decision.kind === "end") continue;
    const before = there.get(decision)!;
    const own = bytesOf(values, decision);
    const check = own > before ? Math.max(own, needs.get(decision)!) : 0;
    const after = Math.max(before, check);
    for (const target of targetsOf(decision)) {
      there.set(target, Math.min(there.get(target) ?? Infinity, after));
    }
    steps.push({ decision, check, ways: waysTo.get(decision) ?? 1 });
  }
  return steps;
}

/** Bytes that a decision itself reads for certain. */
function bytesOf(values: Values, decision: Decision): number {
  let bytes = 0;
  for (const id of valuesOf(decision)) {
    bytes = Math.max(bytes, values.traits(id).bytes);
  }
  if (decision.kind !== "protochain") return bytes;
  const { offset, version } = decision.chain;
  return offset + (version === 4 ? 10 : 7);
}

/** The least bytes of a packet that is accepted from here on; Infinity where none is. */
function bytesToAccept(
  values: Values,
  decision: Decision,
  known: ReadonlyMap<Decision, number>,
): number {
  if (decision.kind === "end") return decision.accepts ? 0 : Infinity;
  const ahead = targetsOf(decision).map((target) => known.get(target)!);
  return Math.max(bytesOf(values, decision), Math.min(...ahead));
}

/** Every decision once, before what it leads to; what a true comparison leads to comes next where it can. */
function ordered(root: Decision): Decision[] {
  const finished: Decision[] = [];
  const seen = new Set<Decision>();
  const stack: { readonly decision: Decision; left: Decision[] }[] = [];
  const enter = (decision: Decision) => {
    if (seen.has(decision)) return;
    seen.add(decision);
    stack.push({ decision, left: [...targetsOf(decision)] });
  };
  enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.left.pop();
    if (next !== undefined) enter(next);
    else finished.push(stack.pop()!.decision);
  }
  return finished.reverse();
}
