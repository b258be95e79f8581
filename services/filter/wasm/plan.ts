/**
 * The plan: what is left to compute of a merged tree, in terms that one machine
 * instruction or a few can do. planner.ts makes it.
 */

import type { Accept, FlowsBranch, Residual } from "../tree/node.ts";

/** Bytes of the frame: `(load(base + offset, width) & mask)`, big-endian. */
export interface BytesSource {
  readonly kind: "bytes";
  /** 0 is the frame's first byte; others are the ends of headers on the way. */
  readonly base: number;
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly mask: number;
}

/** What an IPv6 header's walk ended in: `protocol | (fragment ? 256 : 0)`. */
export interface ProtocolSource {
  readonly kind: "protocol";
  /** The header's end; of no account where `mask` is 0, which always gives 0. */
  readonly base: number;
  readonly mask: number;
}

/** Where a number comes from. */
export type Source = BytesSource | ProtocolSource;

/** Branches are tried in order; then comes the end, or the node has failed. */
export interface PlanNode {
  readonly branches: readonly PlanBranch[];
  readonly end?: PlanEnd;
}

/** A decision: a slot, what a residual says, or what the function of a shared grant returns. */
export type PlanEnd =
  | { readonly slot: number }
  | { readonly slot: number; readonly residual: Residual }
  | { readonly call: Accept };

/** A way on from a node. */
export type PlanBranch =
  | {
    readonly kind: "switch";
    readonly source: Source;
    readonly cases: readonly PlanCase[];
  }
  | {
    readonly kind: "range";
    readonly source: Source;
    readonly low: number;
    readonly high: number;
    readonly then: PlanNode;
  }
  | {
    readonly kind: "ipv4" | "ipv6";
    readonly base: number;
    readonly offset: number;
    /** The base that the header's end becomes. */
    readonly into: number;
    readonly then: PlanNode;
  }
  | {
    readonly kind: "flows";
    /** The tree's branch that this is; none for a switch that is looked up. */
    readonly origin?: FlowsBranch;
    readonly fields: readonly BytesSource[];
    readonly entries: readonly {
      readonly key: readonly number[];
      readonly then: PlanNode;
    }[];
  };

/** One case of a switch. */
export interface PlanCase {
  readonly value: number;
  readonly then: PlanNode;
}

/** The plans of one classifier. */
export interface Plan {
  readonly main: PlanNode;
  /** Plans of the grants that several ways end in, each to be a function. */
  readonly functions: ReadonlyMap<Accept, PlanNode>;
}
