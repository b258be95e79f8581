/** A kernel whose grants are sets of at most 8 packets, as bits. */

import {
  CapabilityKernel,
  type GrantAlgebra,
} from "../../../caps/kernel/kernel.ts";
import { TagGenerator } from "../../../caps/kernel/tag.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";

/** What bits say of each other. */
export const bitSets: GrantAlgebra<number> = {
  everything: 255,
  overlaps: (a, b) => (a & b) !== 0,
  intersect: (a, b) => a & b,
};

/** Pages of the root. */
export const QUOTA = 100;

/** Capabilities, and those that only port 0 may make. */
export const CAPABILITIES_MAX = 12;
export const CAPABILITIES_KEPT = 2;

/** A small kernel, with its root on port 0. */
export function makeKernel(): {
  kernel: CapabilityKernel<number>;
  root: Capability;
} {
  const tags = new TagGenerator((out) => out.fill(3));
  const kernel = new CapabilityKernel(bitSets, tags, {
    capabilitiesMax: CAPABILITIES_MAX,
    capabilitiesKept: CAPABILITIES_KEPT,
    depthMax: 4,
  });
  return { kernel, root: kernel.makeRoot(0, QUOTA) };
}
