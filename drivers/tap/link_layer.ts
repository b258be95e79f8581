/**
 * The Ethernet header that a TUN's packets have inside Sallyport, where
 * everything is Ethernet: put in front of what arrives, taken off what leaves.
 */

import type { PacketMemory } from "../../caps/memory/memory.ts";

const ETHERNET_BYTES = 14;

/** From the far end, to everybody here, whatever address they use. */
export interface LinkAddresses {
  /** Who packets seem to be from: six bytes. */
  readonly far: Uint8Array;
  /** Who they seem to be for. */
  readonly near: Uint8Array;
}

/** Headers for the packets of one packet memory. */
export class LinkLayer {
  readonly headerBytes = ETHERNET_BYTES;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  /** Ethernet addresses, destination and source, as they go in front. */
  readonly #addresses = new Uint8Array(12);

  /** For packets in `memory`. */
  constructor(memory: PacketMemory, addresses: LinkAddresses) {
    this.#bytes = memory.bytes;
    this.#addresses.set(addresses.near);
    this.#addresses.set(addresses.far, 6);
  }

  /** Puts a header at `start`, in front of an IP packet; false when it is none. */
  put(start: number, length: number): boolean {
    const bytes = this.#bytes;
    const version = length > ETHERNET_BYTES
      ? bytes[start + ETHERNET_BYTES]! >>> 4
      : 0;
    if (version !== 4 && version !== 6) return false;
    bytes.set(this.#addresses, start);
    bytes[start + 12] = version === 4 ? 0x08 : 0x86;
    bytes[start + 13] = version === 4 ? 0x00 : 0xdd;
    return true;
  }

  /** Whether an Ethernet frame has an IP packet right behind its header. */
  isIp(start: number, length: number): boolean {
    if (length <= ETHERNET_BYTES) return false;
    const bytes = this.#bytes;
    const type = bytes[start + 12]! << 8 | bytes[start + 13]!;
    const version = bytes[start + ETHERNET_BYTES]! >>> 4;
    return type === 0x0800 && version === 4 || type === 0x86dd && version === 6;
  }
}
