/**
 * Atoms: the comparisons that a grant becomes, and that trees are merged of
 * (node.ts).
 *
 * All loads are big-endian and unsigned. An atom's offset counts from the
 * frame's first byte, or from the **base**: the frame's first byte too, until a
 * header atom moves the base to the byte after that header. A load that ends
 * beyond the frame does not match: grants are total, they never abort.
 *
 * Addresses are read from the frame and ports from the base, so that both can
 * stand behind the header atom and be one flow's key together.
 */

import type { FragmentClass } from "../grant/grant.ts";

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

/** The most IPv6 extension headers that a filter walks over. */
export const IPV6_HEADERS_MAX = 32;

/** A conjunction of atoms: true when each matches. */
export type Filter = readonly Atom[];
