/** How large a kernel program may become, and what says that one would be larger. */

import { PAGE_BYTES } from "../../../caps/memory/memory.ts";

/**
 * The most instructions of a program (8 bytes each). Jumps reach 32,767, so a
 * program of this size needs no others.
 */
export const INSTRUCTIONS_MAX = 32000;

/** The most exact flows of a program, all tables together. */
export const FLOWS_MAX = 1 << 20;

/** The most fields of one flow table's key. */
export const FLOW_FIELDS_MAX = 16;

/** The most IP headers within each other that a filter reads behind. */
export const HEADER_DEPTH_MAX = 8;

/** The deepest tree of branches and derived grants. */
export const TREE_DEPTH_MAX = 256;

/**
 * The largest frame that a socket takes: a page less the 256 bytes that the
 * kernel keeps in front (XDP_PACKET_HEADROOM), where the tag is written.
 *
 * It is also how far from its base a field or a header may end. With
 * {@link HEADER_DEPTH_MAX} that keeps every pointer within the 65,535 bytes that
 * the verifier follows: 8 × (3,840 + 3,840) + 3,840 = 65,280.
 */
export const FRAME_BYTES_MAX: number = PAGE_BYTES - 256;

/**
 * The most conditional jumps of one filter text. At each the verifier puts one
 * way off, up to 8,192 (BPF_COMPLEXITY_LIMIT_JMP_SEQ); the tree before the text
 * has some, too.
 */
export const RESIDUAL_JUMPS_MAX = 5_000;

/**
 * The most rounds of all `protochain`s of a program, six times IPv6's. The
 * verifier goes through every round, 34 instructions each, and through a million
 * in all.
 */
export const PROTOCHAIN_ROUNDS_MAX = 11_520;

/**
 * A set of grants cannot become a kernel program: it would be larger than the
 * kernel or this compiler takes. The grants are fine: the driver classifies in
 * packet memory instead.
 */
export class ProgramTooLarge extends Error {
  /** The class's name. */
  override readonly name = "ProgramTooLarge";

  /** `what` says which limit was met, and by how much. */
  constructor(what: string) {
    super(`no kernel program for these grants: ${what}`);
  }
}
