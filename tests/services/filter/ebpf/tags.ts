/** Tags for slots, in which each half says the slot and no two are alike. */

import type { Tag } from "../../../../caps/kernel/tag.ts";

/** The tag of a slot. */
export function tagOf(slot: number): Tag {
  return {
    low: Math.imul(slot, 0x9e3779b1) >>> 0,
    high: (slot ^ 0xc0000000) >>> 0,
  };
}

/** Tag of a slot as one number; 0 for the slot 0. */
export function tagNumber(slot: number): bigint {
  if (slot === 0) return 0n;
  const { low, high } = tagOf(slot);
  return (BigInt(high) << 32n) | BigInt(low);
}
