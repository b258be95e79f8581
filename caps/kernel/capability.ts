/**
 * A capability as a node of the derivation tree, and what is asked for when one
 * is made.
 */

import type { RateLimit } from "./rate_limit.ts";
import type { Rights } from "./rights.ts";
import type { SiblingIndex } from "./sibling_index.ts";
import type { Tag } from "./tag.ts";

/**
 * A capability as its holder sees it: 64 bits, never 0, void on every other
 * port. Never write one to a log.
 */
export type Capability = bigint & { readonly brand: "capability" };

/** A port's number, given by whoever wires the system. */
export type PortId = number;

/** When a capability without a lifetime expires. */
export const NEVER_US = Infinity;

/** What every new capability says, derived or delegated. */
interface Minting {
  /**
   * When the capability expires, in microseconds of the clock that the kernel's
   * owner goes by; never later than its parent. Absent for the parent's.
   */
  readonly expiresAtUs?: number;
  /**
   * How much goes through, each way. Its ancestors' limits hold besides: what it
   * lets through counts for each of them.
   */
  readonly limit?: RateLimit;
}

/** What a derived capability is to be. */
export interface Derivation<G> extends Minting {
  /** Which of the parent's packets. */
  readonly grant: G;
  /**
   * Which of those it receives, as filter text; absent for all. It separates no
   * siblings, so nothing can be derived from a capability that has it.
   */
  readonly residual?: string;
  /** Which frames may be sent; absent for the parent's. */
  readonly sends?: G;
  readonly rights: Rights;
  /** Pages carved out of the parent's quota. */
  readonly quotaPages: number;
  /** Packets of up to so many bytes are copied, larger ones come as pages; absent for the parent's. */
  readonly copyBytesMax?: number;
  /** In whose table the new tag goes; absent for the deriver's own. */
  readonly to?: PortId;
}

/** How a delegated capability differs from the delegator's. */
export interface Delegation extends Minting {
  /** In whose table its tag goes. */
  readonly to: PortId;
  /** Some of the delegator's; absent for all of them. */
  readonly rights?: Rights;
  /** Pages carved out of the delegator's quota; absent for all that it has left. */
  readonly quotaPages?: number;
}

/** A capability as the kernel sees it. */
export interface CapabilityNode<G> {
  readonly slot: number;
  readonly tag: Tag;
  readonly port: PortId;
  readonly parent: CapabilityNode<G> | undefined;
  readonly children: ReadonlySet<CapabilityNode<G>>;
  readonly grant: G;
  /** Filter text that selects among the grant's packets; the others are its parent's. */
  readonly residual?: string;
  /** The frames that it may send, its ancestors' limits included. */
  readonly sends: G;
  /** The frames that it gets copies of, its ancestors' limits included; observers only. */
  readonly observes?: G;
  readonly rights: Rights;
  readonly quotaPages: number;
  /** What of its quota was not carved out for others. */
  readonly pagesLeft: number;
  readonly copyBytesMax: number;
  /** Rate limit of its own; those of its ancestors hold besides. */
  readonly limit?: RateLimit;
  readonly closed: boolean;
  /** When the capability expires: no later than its parent. */
  readonly expiresAtUs: number;
}

/** A capability as the kernel keeps it. */
export interface Node<G> extends CapabilityNode<G> {
  readonly parent: Node<G> | undefined;
  readonly children: Set<Node<G>>;
  /** The tag as one number. */
  readonly capability: Capability;
  /** The port that asked for it. */
  readonly maker: PortId;
  /** How far from the root it is. */
  readonly depth: number;
  /** The children's grants, observers' not among them. Made with the first child. */
  taken: SiblingIndex<G> | undefined;
  pagesLeft: number;
  closed: boolean;
  live: boolean;
  /** Place in the expiry queue; negative for none. */
  queueIndex: number;
}

/** The capability whose tag is `tag`. */
export function capabilityOf(tag: Tag): Capability {
  return ((BigInt(tag.high) << 32n) | BigInt(tag.low)) as Capability;
}
