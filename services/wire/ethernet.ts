/**
 * Ethernet II frames with VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).
 *
 * ```
 * 0             6             12                                  14 + 4·tags
 * ├ destination ┼ source ┼ [ tag protocol (2) ┼ tag control (2) ]* ┼ type (2) ┤ payload
 *
 * tag control:  ├ priority (3) ┼ drop eligible (1) ┼ VLAN identifier (12) ┤
 * ```
 *
 * A type below 1536 is the length of an 802.3 payload and stays what it is.
 */

import { getU16, setU16 } from "./big_endian.ts";
import { ETHERTYPE } from "./numbers.ts";

/** Bytes of a hardware address. */
export const MAC_BYTES = 6;

/** The greatest number in the place of a type that is a length (IEEE 802.3). */
export const LENGTH_MAX = 1500;

/** Bytes of a header without tags. */
export const ETHERNET_BYTES = 14;

/** Bytes of one VLAN tag. */
export const VLAN_TAG_BYTES = 4;

/** The most tags that are looked into: one of the provider's, one of the customer's. */
export const VLAN_TAGS_MAX = 2;

/** One VLAN tag. */
export interface VlanTag {
  /** 0x8100 or 0x88a8. */
  readonly protocol: number;
  /** 0 to 7. */
  readonly priority: number;
  /** Whether it may be dropped first under congestion. */
  readonly dropEligible: boolean;
  /** 0 to 4095. */
  readonly identifier: number;
}

/** An Ethernet header. */
export interface EthernetRepr {
  /** Six bytes. */
  readonly destination: Uint8Array;
  /** Six bytes. */
  readonly source: Uint8Array;
  /** Outermost first, at most {@link VLAN_TAGS_MAX}. */
  readonly tags: readonly VlanTag[];
  /** What the payload is, after all tags. */
  readonly etherType: number;
}

/**
 * Where the type of the payload lies, behind the tags, in a frame that starts
 * at `start`; the payload is 2 bytes further. -1 when it is not before `end`.
 */
export function etherTypeOffset(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = start + 12;
  for (let tags = 0; at + 2 <= end; tags++, at += VLAN_TAG_BYTES) {
    if (tags === VLAN_TAGS_MAX || !isTagProtocol(getU16(bytes, at))) return at;
  }
  return -1;
}

/** Whether a type announces a VLAN tag. */
export function isTagProtocol(etherType: number): boolean {
  return etherType === ETHERTYPE.vlan ||
    etherType === ETHERTYPE.providerVlan;
}

/** Whether the hardware address at `at` is a group's: multicast or broadcast. */
export function isGroupMac(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 1) !== 0;
}

/** Whether the hardware address at `at` is all ones. */
export function isBroadcastMac(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & bytes[at + 1]! & bytes[at + 2]! & bytes[at + 3]! &
    bytes[at + 4]! & bytes[at + 5]!) === 0xff;
}

/** Whether the hardware address at `at` is all zeros. */
export function isZeroMac(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]! |
    bytes[at + 4]! | bytes[at + 5]!) === 0;
}

/** Whether the hardware address at `at` is `mac`. */
export function isMac(
  bytes: Uint8Array,
  at: number,
  mac: Uint8Array,
): boolean {
  return bytes[at] === mac[0] && bytes[at + 1] === mac[1] &&
    bytes[at + 2] === mac[2] && bytes[at + 3] === mac[3] &&
    bytes[at + 4] === mac[4] && bytes[at + 5] === mac[5];
}

/** Copies the hardware address at `from` to `to`, within one buffer. */
export function copyMac(bytes: Uint8Array, from: number, to: number): void {
  for (let i = 0; i < MAC_BYTES; i++) bytes[to + i] = bytes[from + i]!;
}

/** Writes `mac` at `at`. */
export function setMac(bytes: Uint8Array, at: number, mac: Uint8Array): void {
  for (let i = 0; i < MAC_BYTES; i++) bytes[at + i] = mac[i]!;
}

/** Reads the header that starts at `start`. The payload is {@link ethernetBytes} further. */
export function parseEthernet(
  bytes: Uint8Array,
  start: number,
  end: number,
): EthernetRepr | "truncated" {
  const typeAt = etherTypeOffset(bytes, start, end);
  if (typeAt < 0) return "truncated";
  const tags: VlanTag[] = [];
  for (let at = start + 12; at < typeAt; at += VLAN_TAG_BYTES) {
    const control = getU16(bytes, at + 2);
    tags.push({
      protocol: getU16(bytes, at),
      priority: control >>> 13,
      dropEligible: (control & 0x1000) !== 0,
      identifier: control & 0xfff,
    });
  }
  return {
    destination: bytes.slice(start, start + MAC_BYTES),
    source: bytes.slice(start + MAC_BYTES, start + 2 * MAC_BYTES),
    tags,
    etherType: getU16(bytes, typeAt),
  };
}

/** Bytes of the header. */
export function ethernetBytes(repr: EthernetRepr): number {
  return ETHERNET_BYTES + VLAN_TAG_BYTES * repr.tags.length;
}

/**
 * Writes the header at `at`.
 * @returns its bytes.
 * @throws {RangeError} when it does not fit, or has too many tags.
 */
export function emitEthernet(
  repr: EthernetRepr,
  bytes: Uint8Array,
  at: number,
): number {
  const size = ethernetBytes(repr);
  if (repr.tags.length > VLAN_TAGS_MAX || at + size > bytes.length) {
    throw new RangeError(
      `ethernet: a header of ${repr.tags.length} tags does not fit at ${at} of ${bytes.length} bytes; at most ${VLAN_TAGS_MAX} tags`,
    );
  }
  setMac(bytes, at, repr.destination);
  setMac(bytes, at + MAC_BYTES, repr.source);
  let tagAt = at + 12;
  for (const tag of repr.tags) {
    setU16(bytes, tagAt, tag.protocol);
    setU16(
      bytes,
      tagAt + 2,
      tag.priority << 13 | (tag.dropEligible ? 0x1000 : 0) | tag.identifier,
    );
    tagAt += VLAN_TAG_BYTES;
  }
  setU16(bytes, tagAt, repr.etherType);
  return size;
}
