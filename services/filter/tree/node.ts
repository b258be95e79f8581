/**
 * The tree that filters are merged into: the middle of the compiler, which
 * every backend reads.
 */

import type { Program } from "../language/ir.ts";
import type { Field, HeaderAtom } from "./atom.ts";

/**
 * What happens where all of a grant's atoms have matched: the grants derived
 * from it are tried, from the frame's first byte again; if none matches, the
 * packet is `slot`'s. On a leaf a residual may still send it elsewhere.
 */
export interface Accept {
  /** Whose packets these are; SLOT_NONE when nobody on this path receives. */
  readonly slot: number;
  /** The merged tree of the grants derived from this one. */
  readonly children?: TreeNode;
  /** Further filter text; then there are no children. */
  readonly residual?: Residual;
}

/**
 * What more a packet of a leaf must be, in the language of filter text and with
 * its rule of aborting (language/ir.ts): an abort is as good as false. The
 * packet begins at the frame's first byte, and its length is the frame's.
 */
export interface Residual {
  /** Of link type Ethernet. */
  readonly program: Program;
  /** Whose the packets are of which it is not true: the nearest receiving ancestor's slot, or SLOT_NONE. */
  readonly otherwise: number;
}

/**
 * A node of the merged tree: its branches are tried in order, and the first
 * that ends in an {@link Accept} decides; then `accept`. Siblings' grants never
 * overlap, so the order among branches changes the time and never the answer.
 */
export interface TreeNode {
  readonly branches: readonly Branch[];
  readonly accept?: Accept;
}

/** A way on from a node. */
export type Branch =
  /** One load, one case for each value; sorted by value. */
  | ({
    readonly kind: "switch";
    readonly cases: readonly {
      readonly value: number;
      readonly then: TreeNode;
    }[];
  } & Field)
  /** One load within inclusive bounds. */
  | ({
    readonly kind: "range";
    readonly low: number;
    readonly high: number;
    readonly then: TreeNode;
  } & Field)
  /** The base moves past a header. */
  | {
    readonly kind: "header";
    readonly atom: HeaderAtom;
    readonly then: TreeNode;
  }
  /**
   * Exact flows of one shape: all fields' masked values together are the key of
   * one hash table. `entries` are sorted by key, no key twice; `key[i]` belongs
   * to `fields[i]`.
   */
  | {
    readonly kind: "flows";
    readonly fields: readonly Field[];
    readonly entries: readonly {
      readonly key: readonly number[];
      readonly accept: Accept;
    }[];
  };

/** Exact flows. */
export type FlowsBranch = Extract<Branch, { kind: "flows" }>;
