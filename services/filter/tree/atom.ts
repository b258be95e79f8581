/**
 * Atoms and the trees that filters are merged into: the middle of the compiler,
 * which every backend reads.
 *
 * All loads are big-endian and unsigned. An atom's offset counts from the
 * frame's first byte, or from the **base**: the frame's first byte too, until a
 * header atom moves the base to the byte after that header. A load that ends
 * beyond the frame does not match: grants are total, they never abort.
 *
 * Addresses are read from the frame and ports from the base, so that both can
 * stand behind the header atom and be one flow's key together.
 */

import type { Program } from "../language/ir.ts";

/** Where and how wide a load is: `(load(from + offset, width) & mask)`. */
export interface Field {
  /** What `offset` counts from: the frame's first byte, or the base. */
  readonly from: "frame" | "base";
  /** Bytes from there. */
  readonly offset: number;
  /** Bytes loaded. */
  readonly width: 1 | 2 | 4;
  /** Bits that count, as an unsigned number of `width` bytes. */
  readonly mask: number;
}

/** One comparison. A filter is a conjunction of them, in order. */
export type Atom =
  | ({ readonly op: "match"; readonly value: number } & Field)
  | (
    & { readonly op: "range"; readonly low: number; readonly high: number }
    & Field
  )
  | HeaderAtom;

/**
 * Moves the base past an IP header that starts `offset` bytes from it.
 *
 * `ipv4`: matches when the version is 4, the header length is at least 20, and
 * the whole header lies in the frame. `fragment` says which datagrams pass:
 * `"whole"` (neither more-fragments nor an offset), `"fragment"` (either), or
 * `"any"`. `protocol` is compared where it is given.
 *
 * `ipv6`: walks the extension headers (hop-by-hop 0, routing 43, fragment 44,
 * authentication 51, destination options 60, mobility 135), at most
 * {@link IPV6_HEADERS_MAX} of them, each wholly in the frame. A fragment
 * header, a first fragment's and an atomic one's too, makes it a `"fragment"`
 * and ends the walk: what it names is the protocol, the base is after it.
 */
export interface HeaderAtom {
  readonly op: "ipv4" | "ipv6";
  readonly offset: number;
  readonly protocol?: number;
  readonly fragment: FragmentClass;
}

/** Which datagrams a filter takes. */
export type FragmentClass = "whole" | "fragment" | "any";

/** The most IPv6 extension headers that a filter walks over. */
export const IPV6_HEADERS_MAX = 32;

/** A conjunction of atoms: true when each matches. */
export type Filter = readonly Atom[];

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
