/** What a NIC's wire must get for a packet that a holder sends with a wish. */

import type { SuperPacketParts } from "../arbitraries/super_packets.ts";

/** The most segments of one super-packet. */
const SEGMENTS_MAX = 256;

/** Sizes in bytes. */
export interface SegmentingSizes {
  /** Of the longest frame of the wire, tags not counted. */
  readonly wire: number;
  /** Of all headers, tags included. */
  readonly headers: number;
  /** Of the payload that each segment is to have; 0 for no segments. */
  readonly wanted: number;
}

/** So many segments of such a payload; a reason when nothing goes out. */
export type Segmenting =
  | { readonly size: number; readonly count: number }
  | string;

/** How a whole packet of these parts goes out. */
export function segmentingOf(
  { payloadBytes, protocol, tags }: SuperPacketParts,
  { wire, headers, wanted }: SegmentingSizes,
): Segmenting {
  const room = wire + 4 * tags - headers;
  if (payloadBytes <= wanted || wanted === 0) {
    return payloadBytes <= room
      ? { size: payloadBytes, count: 1 }
      : "send-too-large";
  }
  // TCP does not mind shorter segments; datagrams stay what they were.
  if (protocol === 17 && wanted > room) return "send-too-large";
  const size = Math.min(wanted, room);
  const count = Math.ceil(payloadBytes / size);
  return count > SEGMENTS_MAX ? "send-too-many-segments" : { size, count };
}
