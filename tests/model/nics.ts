/** The NICs that games are played on: one that receives into pages, and one that does so into extents. */

import {
  EXTENT_PAGES,
  HEADROOM_BYTES,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { Limits } from "./terms.ts";
import { FRAME_COUNT, PAGE_FRAME_COUNT } from "./universe.ts";

/** What a NIC receives into. */
export type Nic = "pages" | "extents";

/** A game's size: pages of the root's, limits, holders at the start, and frames that there are. */
export interface Scale extends Limits {
  readonly quotaPages: number;
  readonly holders: number;
  /** Of the universe's, the first ones. */
  readonly frameCount: number;
}

const common = {
  capabilities: 8,
  kept: 2,
  depth: 4,
  holders: 3,
  pageRoomBytes: PAGE_BYTES - HEADROOM_BYTES,
} as const;

/** By NIC. */
export const SCALES: Readonly<Record<Nic, Scale>> = {
  pages: {
    ...common,
    quotaPages: 12,
    framePages: 1,
    wireBytesMax: 1514,
    frameCount: PAGE_FRAME_COUNT,
  },
  extents: {
    ...common,
    quotaPages: 12 * EXTENT_PAGES,
    framePages: EXTENT_PAGES,
    wireBytesMax: 9014,
    frameCount: FRAME_COUNT,
  },
};
