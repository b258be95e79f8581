/**
 * VLAN tags in an Ethernet frame (IEEE 802.1Q, clause 9): an MTU does not count
 * them, so each one makes the longest frame 4 bytes longer.
 *
 * ```
 *  0             6        12       14       16
 *  ├ destination ┼ source ┼ 0x8100 ┼ number ┼ 0x8100, or the payload's type …
 * ```
 */

/** Bytes of one tag. */
export const VLAN_TAG_BYTES = 4;

/** The most tags that a frame is longer for: a customer's behind a provider's. */
export const VLAN_TAGS_MAX = 2;

/** Where the first tag, or else the payload's type, lies. */
const TYPE_OFFSET = 12;

/** Whether an EtherType begins a tag: a customer's, or a provider's. */
export function isVlanType(etherType: number): boolean {
  return etherType === 0x8100 || etherType === 0x88a8;
}

/** Bytes of the tags of the frame `bytes[start .. start + length)`, two tags at the most. */
function vlanTagBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  let tagBytes = 0;
  while (tagBytes < VLAN_TAGS_MAX * VLAN_TAG_BYTES) {
    const at = start + TYPE_OFFSET + tagBytes;
    if (at + VLAN_TAG_BYTES > start + length) break;
    const type = bytes[at]! << 8 | bytes[at + 1]!;
    if (!isVlanType(type)) break;
    tagBytes += VLAN_TAG_BYTES;
  }
  return tagBytes;
}

/**
 * Whether the frame is longer than a link takes whose longest frame has
 * `frameBytesMax` bytes, tags not counted. Only a long frame is looked into.
 */
export function isTooLong(
  frameBytesMax: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  return length > frameBytesMax &&
    length > frameBytesMax + vlanTagBytes(bytes, start, length);
}
