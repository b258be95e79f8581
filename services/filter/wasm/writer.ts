/** What the code of one Wasm function is written with. */

import type { Code } from "./code.ts";
import type { PlanEnd, PlanNode } from "./plan.ts";
import type { TableSpace } from "./table_space.ts";

/** One function that is being written. */
export interface Writer {
  readonly code: Code;
  readonly tables: TableSpace;
  /** The local with the address of the frame's first byte. */
  readonly start: number;
  /** The local with the frame's length in bytes. */
  readonly length: number;
  /** The local with the address after the frame. */
  readonly end: number;
  /** The function of `ipv6Walk`. */
  readonly walk: number;
  /** Writes a node, whose code falls through where the node has failed. */
  node(node: PlanNode, scope: Scope): void;
  /** Ends with a decision. */
  decide(end: PlanEnd): void;
  /** Ends with the slot that is one less than the number in a local. */
  decideValue(local: number): void;
}

/** What is at hand on the way to a node. */
export interface Scope {
  /** Locals with the bases' addresses. */
  readonly bases: ReadonlyMap<number, number>;
  /** Locals with what IPv6 headers' walks ended in, by base. */
  readonly protocols: ReadonlyMap<number, number>;
  /** Bytes that are known to be there from each base on. */
  readonly available: ReadonlyMap<number, number>;
}
