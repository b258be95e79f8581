/**
 * One host's side of IPv4 for cores that answer in place: which frames are
 * whole datagrams for this host, and how one is turned round.
 */

import type { DropReason, Frame } from "../core/core.ts";
import { getU16, getU32, setU16, setU32 } from "../wire/big_endian.ts";
import {
  copyMac,
  etherTypeOffset,
  isGroupMac,
  isMac,
  MAC_BYTES,
  setMac,
} from "../wire/ethernet.ts";
import {
  checkIpv4,
  fillIpv4Checksum,
  IPV4_BYTES,
  ipv4Destination,
  ipv4HeaderBytes,
  ipv4IsFragment,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalBytes,
  isHostAddress,
} from "../wire/ipv4.ts";
import { ETHERTYPE } from "../wire/numbers.ts";
import { type OwnAddresses, ownIpv4 } from "./own_addresses.ts";

/** Time to live of what is sent, in hops (RFC 1700). */
export const IPV4_TTL = 64;

/**
 * Who this host is. Where a prefix has 30 bits or fewer, a source that is that
 * network's own or its broadcast address is refused too.
 */
export interface Ipv4Options extends OwnAddresses {
  /** Hardware address: six bytes. */
  readonly mac: Uint8Array;
}

/**
 * Admits frames one by one. After {@link admit} has found nothing to refuse,
 * the fields say where the datagram lies, until the next call.
 */
export class Ipv4Endpoint {
  /** Where the header starts. */
  headerAt = 0;
  /** Where the payload starts. */
  payloadAt = 0;
  /** Where the payload ends: padding is behind it. */
  payloadEnd = 0;

  readonly #mac: Uint8Array;
  readonly #addresses: readonly number[];
  /** By address: ones where the host part is; 0 when the network is not known. */
  readonly #hostMasks: readonly number[];

  /** An endpoint for the host that `options` names. */
  constructor(options: Ipv4Options) {
    this.#mac = Uint8Array.from(options.mac);
    const own = ownIpv4(options);
    this.#addresses = own.map(({ address }) => address);
    this.#hostMasks = own.map(({ prefixBits }) =>
      prefixBits > 30 ? 0 : 2 ** (32 - prefixBits) - 1
    );
  }

  /**
   * Whether `frame` is a whole datagram of `protocol` for this host, from a
   * source that may be answered. Returns why not; undefined when it is.
   */
  admit(frame: Frame, protocol: number): DropReason | undefined {
    const { bytes, start } = frame;
    const end = start + frame.length;
    const typeAt = etherTypeOffset(bytes, start, end);
    if (typeAt < 0) return "drop:truncated";
    if (getU16(bytes, typeAt) !== ETHERTYPE.ipv4) return "drop:not-ipv4";
    const at = typeAt + 2;
    const problem = checkIpv4(bytes, at, end);
    if (problem !== undefined) return `drop:${problem}`;
    if (
      !isMac(bytes, start, this.#mac) ||
      !this.#addresses.includes(ipv4Destination(bytes, at))
    ) return "drop:not-mine";
    if (!this.#mayAnswer(bytes, start, ipv4Source(bytes, at))) {
      return "drop:source";
    }
    if (ipv4IsFragment(bytes, at)) return "drop:fragment";
    if (ipv4Protocol(bytes, at) !== protocol) return "drop:protocol";
    this.headerAt = at;
    this.payloadAt = at + ipv4HeaderBytes(bytes, at);
    this.payloadEnd = at + ipv4TotalBytes(bytes, at);
    return undefined;
  }

  /**
   * Turns the frame that was admitted last into one from the address that it came
   * to, to its source, `payloadBytes` long, without options: the headers move up to the
   * payload, so that only they are written.
   */
  turn(frame: Frame, payloadBytes: number): void {
    const { bytes } = frame;
    const optionBytes = this.payloadAt - this.headerAt - IPV4_BYTES;
    if (optionBytes > 0) {
      const moved = this.headerAt + IPV4_BYTES;
      bytes.copyWithin(frame.start + optionBytes, frame.start, moved);
      frame.start += optionBytes;
      frame.capacity -= optionBytes;
      this.headerAt += optionBytes;
    }
    const at = this.headerAt;
    copyMac(bytes, frame.start + MAC_BYTES, frame.start);
    setMac(bytes, frame.start + MAC_BYTES, this.#mac);
    bytes[at] = 0x45;
    // Of the flags a reply keeps "do not fragment"; the first bit is 0 (RFC 791).
    bytes[at + 6]! &= 0x40;
    setU16(bytes, at + 2, IPV4_BYTES + payloadBytes);
    bytes[at + 8] = IPV4_TTL;
    const asked = getU32(bytes, at + 16);
    setU32(bytes, at + 16, getU32(bytes, at + 12));
    setU32(bytes, at + 12, asked);
    fillIpv4Checksum(bytes, at, IPV4_BYTES);
    frame.length = this.payloadAt + payloadBytes - frame.start;
  }

  /** Whether the source can be one host other than this (RFC 1122, 3.2.1.3). */
  #mayAnswer(bytes: Uint8Array, start: number, source: number): boolean {
    if (isGroupMac(bytes, start + MAC_BYTES)) return false;
    if (!isHostAddress(source)) return false;
    const own = this.#addresses;
    for (let i = 0; i < own.length; i++) {
      if (source === own[i]) return false;
      const mask = this.#hostMasks[i]!;
      if (mask === 0 || ((source ^ own[i]!) & ~mask) !== 0) continue;
      const host = (source & mask) >>> 0;
      if (host === 0 || host === mask) return false;
    }
    return true;
  }
}
