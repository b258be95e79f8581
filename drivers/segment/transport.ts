/**
 * Where the headers of a TCP segment or UDP datagram lie in its frame. Read from
 * the frame alone: what its sender says of it is never believed.
 */

import { isVlanType, VLAN_TAG_BYTES, VLAN_TAGS_MAX } from "../kit/vlan_tags.ts";

/** IPv4's and IPv6's protocol number of TCP. */
export const PROTOCOL_TCP = 6;

/** IP's number for UDP. */
export const PROTOCOL_UDP = 17;

const ETHERNET_BYTES = 14;
const ETHER_TYPE_IPV4 = 0x0800;
const ETHER_TYPE_IPV6 = 0x86dd;

const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const TCP_BYTES = 20;
const UDP_BYTES = 8;

/** IPv6 extension headers that neither cut a packet up nor change its destination (RFC 8200 section 4). */
const HOP_BY_HOP = 0;
const DESTINATION_OPTIONS = 60;
const EXTENSION_HEADERS_MAX = 8;

/** Where a packet's headers are: offsets into the bytes that it was found in. */
export class Transport {
  /** 4 or 6. */
  version = 0;
  /** {@link PROTOCOL_TCP} or {@link PROTOCOL_UDP}. */
  protocol = 0;
  /** The frame's first byte. */
  start = 0;
  /** The IP header. */
  network = 0;
  /** The TCP or UDP header. */
  transport = 0;
  /** What is behind that. */
  payload = 0;
  /** The first byte behind the packet, by its own lengths: padding may follow. */
  end = 0;

  /** Where the checksum is. */
  get checksumAt(): number {
    return this.transport + (this.protocol === PROTOCOL_TCP ? 16 : 6);
  }

  /**
   * Finds the headers of the Ethernet frame `bytes[start .. start + length)`.
   * @returns false when it is no whole TCP or UDP packet over IPv4 or IPv6: a
   * fragment is none, nor is one with a routing header, whose checksum covers
   * another destination.
   *
   * Fields are read before it is known that they lie in the frame. What is read
   * behind its end decides nothing: the payload begins behind all of them, and
   * must not begin behind the packet's end, nor that be behind the frame's.
   */
  find(bytes: Uint8Array, start: number, length: number): boolean {
    const end = start + length;
    let at = start + ETHERNET_BYTES;
    let type = u16(bytes, at - 2);
    for (let tags = 0; isVlanType(type); tags++) {
      if (tags === VLAN_TAGS_MAX) return false;
      at += VLAN_TAG_BYTES;
      type = u16(bytes, at - 2);
    }
    this.start = start;
    this.network = at;
    if (type === ETHER_TYPE_IPV4) return this.#findIpv4(bytes, end);
    return type === ETHER_TYPE_IPV6 && this.#findIpv6(bytes, end);
  }

  #findIpv4(bytes: Uint8Array, end: number): boolean {
    const at = this.network;
    if (bytes[at]! >>> 4 !== 4) return false;
    const headerBytes = (bytes[at]! & 15) << 2;
    const totalBytes = u16(bytes, at + 2);
    // More fragments, or an offset: RFC 791 section 3.1.
    const fragment = (u16(bytes, at + 6) & 0x3fff) !== 0;
    if (headerBytes < IPV4_BYTES || fragment || at + totalBytes > end) {
      return false;
    }
    this.version = 4;
    this.transport = at + headerBytes;
    this.end = at + totalBytes;
    return this.#findPayload(bytes, bytes[at + 9]!);
  }

  #findIpv6(bytes: Uint8Array, end: number): boolean {
    const at = this.network;
    if (bytes[at]! >>> 4 !== 6) return false;
    this.version = 6;
    this.end = at + IPV6_BYTES + u16(bytes, at + 4);
    if (this.end > end) return false;
    let next = bytes[at + 6]!;
    this.transport = at + IPV6_BYTES;
    for (
      let headers = 0;
      next === HOP_BY_HOP || next === DESTINATION_OPTIONS;
      headers++
    ) {
      if (headers === EXTENSION_HEADERS_MAX) return false;
      const header = this.transport;
      next = bytes[header]!;
      this.transport = header + (bytes[header + 1]! + 1) * 8;
    }
    return this.#findPayload(bytes, next);
  }

  #findPayload(bytes: Uint8Array, protocol: number): boolean {
    const at = this.transport;
    this.protocol = protocol;
    if (protocol === PROTOCOL_TCP) {
      const headerBytes = bytes[at + 12]! >>> 4 << 2;
      this.payload = at + headerBytes;
      return headerBytes >= TCP_BYTES && this.payload <= this.end;
    }
    if (protocol !== PROTOCOL_UDP) return false;
    const sizeBytes = u16(bytes, at + 4);
    if (sizeBytes < UDP_BYTES || at + sizeBytes > this.end) return false;
    this.payload = at + UDP_BYTES;
    this.end = at + sizeBytes;
    return true;
  }
}

/** The 16 bits at `at`, in network byte order. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Writes 16 bits in network byte order. */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
