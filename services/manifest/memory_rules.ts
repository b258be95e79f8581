/** How much packet memory a manifest may ask for. */

import { EXTENT_PAGES, FRAMES_MAX } from "../../caps/memory/memory.ts";
import type { Complain } from "./error.ts";
import type { NicKind } from "./nic/kind.ts";

/** Extents of a NIC that receives super-packets. */
const EXTENTS_RECEIVING = 64;

/** Extents of any other: what a service sends as a super-packet lies whole in one before it is taken apart. */
const EXTENTS_SENDING = 16;

/** Extents that were asked for, or as many as this kind of NIC wants beside its frames. */
export function extentsOf(
  { superPackets = false }: NicKind,
  { frames, extents }: {
    readonly frames: number;
    readonly extents?: number | undefined;
  },
): number {
  const wanted = superPackets ? EXTENTS_RECEIVING : EXTENTS_SENDING;
  return extents ?? Math.min(wanted, extentsBeside(frames));
}

function extentsBeside(frames: number): number {
  return Math.floor((FRAMES_MAX - frames) / EXTENT_PAGES);
}

/** Complains of more frames and extents than packet memory can have. */
export function checkMemory(
  { frames, extents }: { readonly frames: number; readonly extents: number },
  complain: Complain,
): void {
  const most = extentsBeside(frames);
  if (extents <= most) return;
  complain(
    ["extents"],
    `expected at most ${most} beside ${frames} frames, got ${extents}`,
  );
}
