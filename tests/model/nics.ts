/** The NICs that games are played on: one that receives into pages, one that does so into extents, and one that has super-packets in these. */

import {
  EXTENT_PAGES,
  HEADROOM_BYTES,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { Limits } from "./terms.ts";
import { FRAME_COUNT, PAGE_FRAME_COUNT } from "./universe.ts";

/** What a NIC receives into; `offloads` does so into extents, completes checksums and makes segments itself, and says what an arriving packet is. */
export type Nic = "pages" | "extents" | "offloads";

/** A game's size: pages of the root's, limits, holders at the start, and frames that there are. */
export interface Scale extends Limits {
  readonly quotaPages: number;
  readonly holders: number;
  /** Bytes of the longest frame, or super-packet. */
  readonly frameBytesMax: number;
  /** Of the universe's, the first ones. */
  readonly frameCount: number;
}

const common = {
  capabilities: 8,
  kept: 2,
  depth: 4,
  holders: 3,
  pageRoomBytes: PAGE_BYTES - HEADROOM_BYTES,
  offloads: false,
  segments: 256,
  nicSegments: 128,
} as const;

const extents = {
  ...common,
  quotaPages: 12 * EXTENT_PAGES,
  framePages: EXTENT_PAGES,
  frameBytesMax: 9014,
  wireBytesMax: 9014,
  frameCount: FRAME_COUNT,
} as const;

/** By NIC. */
export const SCALES: Readonly<Record<Nic, Scale>> = {
  pages: {
    ...common,
    quotaPages: 12,
    framePages: 1,
    frameBytesMax: 1514,
    wireBytesMax: 1514,
    frameCount: PAGE_FRAME_COUNT,
  },
  extents,
  offloads: { ...extents, wireBytesMax: 1514, offloads: true },
};

/** Frames of packet memory of the NIC that receives into pages: a quarter is one more than a quota. */
export const PAGE_FRAMES: number = 4 * (SCALES.pages.quotaPages + 1);
