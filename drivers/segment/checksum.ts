/**
 * Transport checksums over packet memory, for NICs that leave them to software:
 * the Internet checksum (RFC 1071), with the pseudo-headers of IPv4 (RFC 9293
 * section 3.1) and IPv6 (RFC 8200 section 8.1).
 */

import { PROTOCOL_UDP, putU16, type Transport, u16 } from "./transport.ts";

/** Memory that packets lie in: packet memory, or a ring that is shared with the kernel. */
export interface PacketBytes {
  /** All of its buffer. */
  readonly bytes: Uint8Array;
}

/** Computes checksums in one memory. */
export class Checksums {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  /** Of packets in `memory`. */
  constructor(memory: PacketBytes) {
    this.#bytes = memory.bytes;
    this.#words = new Uint32Array(memory.bytes.buffer);
  }

  /** Writes the transport checksum of a packet, whatever the field holds now. */
  complete(packet: Transport): void {
    const at = packet.checksumAt;
    putU16(this.#bytes, at, 0);
    const sum = this.pseudoHeader(packet) +
      this.sum(packet.transport, packet.end);
    const checksum = ~fold(sum) & 0xffff;
    // For UDP 0 says that there is none (RFC 768); its complement is the same number.
    const value = checksum === 0 && packet.protocol === PROTOCOL_UDP
      ? 0xffff
      : checksum;
    putU16(this.#bytes, at, value);
  }

  /** Writes the sum of the pseudo-header alone: what a NIC that completes checksums begins with. */
  begin(packet: Transport): void {
    putU16(this.#bytes, packet.checksumAt, fold(this.pseudoHeader(packet)));
  }

  /**
   * Writes the checksum of everything from `start` to `end` to `at`: what is
   * done for a sender that says no more than that (linux/skbuff.h, csum_start).
   */
  completeFrom(start: number, end: number, at: number): void {
    const sum = ~fold(this.sum(start, end)) & 0xffff;
    putU16(this.#bytes, at, sum === 0 ? 0xffff : sum);
  }

  /** Writes the checksum of an IPv4 header. */
  completeIpv4(at: number, headerBytes: number): void {
    putU16(this.#bytes, at + 10, 0);
    const sum = this.sum(at, at + headerBytes);
    putU16(this.#bytes, at + 10, ~fold(sum) & 0xffff);
  }

  /** The sum of a packet's pseudo-header, its length included. */
  pseudoHeader(packet: Transport): number {
    const { network, version, protocol } = packet;
    const addresses = version === 4
      ? this.sum(network + 12, network + 20)
      : this.sum(network + 8, network + 40);
    return addresses + protocol + (packet.end - packet.transport);
  }

  /** The folded sum of the 16-bit words from `start` to `end`: 2 to 65,535 bytes. */
  sum(start: number, end: number): number {
    if ((start & 1) !== 0) return this.#sumBytes(start, end);
    // Words of 32 bits lie at multiples of 4: what is before comes by itself.
    let sum = 0;
    let at = start;
    if ((at & 2) !== 0) {
      sum = u16(this.#bytes, at);
      at += 2;
    }
    const words = this.#words;
    const last = end >>> 2;
    // Two sums, each of which fits 31 bits for 65,535 bytes.
    let even = 0;
    let odd = 0;
    for (let i = at >>> 2; i < last; i++) {
      const word = words[i]!;
      even = even + (word & 0xffff) | 0;
      odd = odd + (word >>> 16) | 0;
    }
    // Summed in the machine's byte order, which is turned once (RFC 1071 section 2 B).
    const swapped = fold(even + odd);
    sum += (swapped & 0xff) << 8 | swapped >>> 8;
    return fold(sum + this.#sumBytes(last << 2, end));
  }

  #sumBytes(start: number, end: number): number {
    const bytes = this.#bytes;
    let high = 0;
    let low = 0;
    let at = start;
    for (; at + 1 < end; at += 2) {
      high += bytes[at]!;
      low += bytes[at + 1]!;
    }
    if (at < end) high += bytes[at]!;
    return fold(high * 256 + low);
  }
}

/** Folds a sum below 2^32 to 16 bits with end-around carry. */
export function fold(sum: number): number {
  sum = (sum >>> 16) + (sum & 0xffff);
  return (sum >>> 16) + (sum & 0xffff);
}
