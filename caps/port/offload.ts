/**
 * What is known of a packet's checksum and segmentation, from NIC to NIC, in 32
 * bits:
 *
 * ```
 * 0          8     16                32
 * ├ checksum ┼ gso ┼ segment's bytes ┤
 * ```
 *
 * A packet with a `gso` is a super-packet: one TCP segment, or UDP datagram,
 * larger than any wire takes, which stands for several of `segment's bytes` of
 * payload each (the MSS, for TCP). 0 says that the packet is as it would be on
 * a wire.
 */

/** The packet's transport checksum is as its sender's wire format has it. */
export const CHECKSUM_COMPLETE = 0;

/**
 * The packet may come from this machine, whose kernel left the transport
 * checksum to hardware that is not there: the field then holds the sum of the
 * pseudo-header alone (linux/skbuff.h, CHECKSUM_PARTIAL).
 */
export const CHECKSUM_MAY_BE_PARTIAL = 1;

/**
 * The field does hold that sum alone. In what is sent: the checksum is yet to be
 * computed, whatever the field holds.
 */
export const CHECKSUM_PARTIAL = 2;

/** One packet, as it is on a wire. */
export const GSO_NONE = 0;

/** Several TCP segments over IPv4. */
export const GSO_TCP4 = 1;

/** Several TCP segments over IPv6. */
export const GSO_TCP6 = 2;

/** Several UDP datagrams, over either. */
export const GSO_UDP = 3;

/** A NIC that completes transport checksums of what it sends. */
export const OFFLOAD_CHECKSUM = 1;

/** A NIC that takes super-packets of this kind apart itself, as a bit. */
export function offloadsGso(gso: number): number {
  return 1 << gso;
}

/** The three as one word. */
export function offloadWord(
  checksum: number,
  gso: number,
  segmentBytes: number,
): number {
  return (checksum | gso << 8 | segmentBytes << 16) >>> 0;
}

/** What is known of the checksum: one of CHECKSUM_…. */
export function checksumOf(offload: number): number {
  return offload & 0xff;
}

/** Whether the transport checksum may be the sum of the pseudo-header alone. */
export function mayBePartial(offload: number): boolean {
  return checksumOf(offload) !== CHECKSUM_COMPLETE;
}

/** What the packet stands for: one of GSO_…. */
export function gsoOf(offload: number): number {
  return offload >>> 8 & 0xff;
}

/** Bytes of payload of each of its segments; 0 for a packet that is none. */
export function segmentBytesOf(offload: number): number {
  return offload >>> 16;
}
