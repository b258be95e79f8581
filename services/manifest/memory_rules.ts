/** How much packet memory a manifest may ask for. */

import { EXTENT_PAGES, FRAMES_MAX } from "../../caps/memory/memory.ts";
import type { Complain } from "./error.ts";
import type { NicKind } from "./nic/kind.ts";

const EXTENTS_DEFAULT = 64;

/** Extents that were asked for, or as many as this kind of NIC wants. */
export function extentsOf(
  { superPackets = false }: NicKind,
  asked: number | undefined,
): number {
  return asked ?? (superPackets ? EXTENTS_DEFAULT : 0);
}

/** Complains of more frames and extents than packet memory can have. */
export function checkMemory(
  { frames, extents }: { readonly frames: number; readonly extents: number },
  complain: Complain,
): void {
  const most = Math.floor((FRAMES_MAX - frames) / EXTENT_PAGES);
  if (extents <= most) return;
  complain(
    ["extents"],
    `expected at most ${most} beside ${frames} frames, got ${extents}`,
  );
}
