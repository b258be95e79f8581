/** What a packet in a capture file is, whatever the format. */

import type { Oddities } from "./oddities.ts";

/**
 * A captured packet, `bytes[start .. start + length)`. A reader reuses one such
 * object, and `bytes`, for all of its packets: copy what is wanted later.
 */
export interface CapturePacket {
  /** What it lies in. */
  bytes: Uint8Array;
  /** Where it starts there. */
  start: number;
  /** Bytes that were captured; no more than {@link CAPTURED_BYTES_MAX}. */
  length: number;
  /** Bytes that the packet had on the wire; no fewer than {@link length}. */
  originalLength: number;
  /** Whole seconds since 1970-01-01 UTC; 0 where the file has no time. */
  seconds: number;
  /** The rest, in nanoseconds: from 0, less than a second. */
  nanoseconds: number;
  /** Whether the file counts time in units finer than microseconds. */
  finerThanMicroseconds: boolean;
  /** LINKTYPE_… of the interface that it was captured on. */
  linkType: number;
  /** Which interface of its section that was, from 0. */
  interfaceIndex: number;
  /** 1 for what came in, 2 for what went out, 0 where that is not known; readers say 0. */
  direction: 0 | 1 | 2;
}

/** The most bytes of one packet that are read or written (libpcap's MAXIMUM_SNAPLEN). */
export const CAPTURED_BYTES_MAX = 262144;

/** LINKTYPE_ETHERNET. */
export const LINK_ETHERNET = 1;

/** Reads a capture from its start to its end. */
export interface CaptureReader {
  /** Which of the two formats it is. */
  readonly format: "pcap" | "pcapng";
  /**
   * The next packet, or undefined at the end.
   * @throws {CaptureError} when what follows is not a capture's; nothing can be
   * read from there on.
   */
  next(): CapturePacket | undefined;
  /** After the end: that the file ends within a packet, in words. */
  readonly warning: string | undefined;
  /** LINKTYPE_… of the file's header, or of the first interface described; undefined until there is one. */
  readonly linkType: number | undefined;
  /** Whether times there are finer than microseconds. */
  readonly finerThanMicroseconds: boolean;
  /** Fields so far that no capture should have and that cost no packet. */
  readonly oddities: Oddities;
  /**
   * Bytes that were read behind the packet that {@link next} gave last. While
   * there are some, the next packet, or at least its start, is here already.
   */
  readonly buffered: number;
}

/** A packet to fill in. */
export function emptyPacket(): CapturePacket {
  return {
    bytes: new Uint8Array(0),
    start: 0,
    length: 0,
    originalLength: 0,
    seconds: 0,
    nanoseconds: 0,
    finerThanMicroseconds: false,
    linkType: LINK_ETHERNET,
    interfaceIndex: 0,
    direction: 0,
  };
}

/** The link types that people meet most (tcpdump.org/linktypes.html). */
const LINK_NAMES: Readonly<Record<number, string>> = {
  0: "NULL (BSD loopback)",
  1: "ETHERNET",
  9: "PPP",
  12: "RAW (IP without Ethernet)",
  101: "RAW (IP without Ethernet)",
  105: "IEEE802_11",
  108: "LOOP",
  113: 'LINUX_SLL (capture of "any")',
  127: "IEEE802_11_RADIOTAP",
  228: "IPV4",
  229: "IPV6",
  276: 'LINUX_SLL2 (capture of "any")',
};

/** A link type in words. */
export function linkName(linkType: number): string {
  const name = LINK_NAMES[linkType];
  return name === undefined
    ? `link type ${linkType}`
    : `${name}, link type ${linkType}`;
}
