/** What may be derived, and why something may not. */

import type { Derivation, Node } from "./capability.ts";
import { isRateLimit } from "./rate_limit.ts";
import {
  hasRights,
  isObserver,
  isRights,
  RIGHT_SEND,
  type Rights,
} from "./rights.ts";

/** Why something was refused. */
export type Refusal =
  /** The tag is not a live capability of this port. */
  | "void"
  /** The capability lacks the right. */
  | "right"
  /** The capability has filter text: nothing is derived from it. */
  | "residual"
  /** The grant could overlap one that was derived before. */
  | "overlap"
  /** The parent has not that many pages left. */
  | "quota"
  /** The parent takes no new work. */
  | "closed"
  /** The kernel holds as many capabilities as it may. */
  | "full"
  /** The port has made as many capabilities as are left for all the others. */
  | "share"
  /** The capability is as far from the root as one may be. */
  | "depth"
  /** A field of the request makes no sense. */
  | "invalid"
  /** A grant, met with its parent's, is too large to write down. */
  | "complex";

/** Limits of a kernel. */
export interface KernelLimits {
  /** Capabilities that may exist at once. */
  readonly capabilitiesMax: number;
  /** How many of those only the root's holder may make, so that it can always go on. */
  readonly capabilitiesKept: number;
  /** How far from the root a capability may be. */
  readonly depthMax: number;
}

/**
 * How much room a port has. Of what is not taken it may have as much as it
 * leaves: one port half of all, another half of the rest (the dynamic threshold
 * of Choudhury and Hahne, 1998, for queues in one memory). So none can take
 * everything, and a port that is alone has plenty.
 */
export interface Share {
  /** Capabilities that the port has made, and that exist. */
  readonly made: number;
  /** Capabilities that may still be made, by it or others. */
  readonly free: number;
  /** Whether the port may have all that is free: the root's holder. */
  readonly isRoot: boolean;
}

/** What is asked of a live capability, and what there is already. */
export interface Admission<G> {
  readonly parent: Node<G>;
  readonly wanted: Derivation<G>;
  /** The rights that the parent must have for it to be done at all. */
  readonly needed: Rights;
  readonly share: Share;
  readonly depthMax: number;
}

/** Why a capability may not be made; undefined when it may. */
export function whyRefused<G>(
  { parent, wanted, needed, share, depthMax }: Admission<G>,
): Refusal | undefined {
  if (!hasRights(parent.rights, needed)) return "right";
  if (!areFieldsValid(wanted)) return "invalid";
  if (!hasRights(parent.rights, wanted.rights)) return "right";
  if (parent.closed) return "closed";
  if (parent.residual !== undefined) return "residual";
  if (wanted.quotaPages > parent.pagesLeft) return "quota";
  if (parent.depth >= depthMax) return "depth";
  if (share.free <= 0) return "full";
  if (!share.isRoot && share.made >= share.free) return "share";
  // Observers own nothing, so they may overlap; their slot's one check is taken.
  if (isObserver(wanted.rights)) {
    const more = hasRights(wanted.rights, RIGHT_SEND) ||
      wanted.residual !== undefined;
    return more ? "invalid" : undefined;
  }
  return parent.taken?.overlaps(wanted.grant) ? "overlap" : undefined;
}

function areFieldsValid<G>(wanted: Derivation<G>): boolean {
  const { rights, quotaPages, copyBytesMax, expiresAtUs, limit } = wanted;
  return isRights(rights) && isCount(quotaPages) &&
    isCount(copyBytesMax ?? 0) && !Number.isNaN(expiresAtUs ?? 0) &&
    (limit === undefined || isRateLimit(limit));
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}
