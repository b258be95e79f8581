/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 * ```
 * 0          2          4     5     6           8            14           18           24           28
 * ├ hardware ┼ protocol ┼ hln ┼ pln ┼ operation ┼ sender MAC ┼ sender IP ┼ target MAC ┼ target IP ┤
 *   1          0x0800     6     4
 * ```
 */

import { getU16, getU32, setU16, setU32 } from "./big_endian.ts";
import { MAC_BYTES, setMac } from "./ethernet.ts";
import { ETHERTYPE } from "./numbers.ts";

/** Bytes of a packet. */
export const ARP_BYTES = 28;

/** Operation of a request. */
export const ARP_REQUEST = 1;
/** Operation of a reply. */
export const ARP_REPLY = 2;

/** Where the sender's hardware address lies in a packet. */
export const ARP_SENDER_MAC = 8;
/** Where the target's hardware address lies in a packet. */
export const ARP_TARGET_MAC = 18;

const ETHERNET = 1;

/** A packet. */
export interface ArpRepr {
  /** {@link ARP_REQUEST}, {@link ARP_REPLY}, or another 16-bit number. */
  readonly operation: number;
  /** Six bytes. */
  readonly senderMac: Uint8Array;
  /** IPv4 address, 32 bits. */
  readonly senderAddress: number;
  /** Six bytes. */
  readonly targetMac: Uint8Array;
  /** IPv4 address, 32 bits. */
  readonly targetAddress: number;
}

/** Why bytes are not such a packet: too few, or not IPv4 over Ethernet. */
export type ArpProblem = "truncated" | "hardware" | "protocol";

/** Why the bytes from `at` to `end` are no ARP packet for IPv4 over Ethernet; undefined when they are. */
export function checkArp(
  bytes: Uint8Array,
  at: number,
  end: number,
): ArpProblem | undefined {
  if (at + ARP_BYTES > end) return "truncated";
  if (getU16(bytes, at) !== ETHERNET || bytes[at + 4] !== MAC_BYTES) {
    return "hardware";
  }
  if (getU16(bytes, at + 2) !== ETHERTYPE.ipv4 || bytes[at + 5] !== 4) {
    return "protocol";
  }
  return undefined;
}

/** What is asked or said. */
export function arpOperation(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 6);
}

/** Who asks or says. */
export function arpSenderAddress(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 14);
}

/** Who is asked for, or told. */
export function arpTargetAddress(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 24);
}

/** Sets what is asked or said. */
export function setArpOperation(
  bytes: Uint8Array,
  at: number,
  operation: number,
): void {
  setU16(bytes, at + 6, operation);
}

/** Sets who asks or says. */
export function setArpSenderAddress(
  bytes: Uint8Array,
  at: number,
  address: number,
): void {
  setU32(bytes, at + 14, address);
}

/** Sets who is asked for, or told. */
export function setArpTargetAddress(
  bytes: Uint8Array,
  at: number,
  address: number,
): void {
  setU32(bytes, at + 24, address);
}

/** Reads the packet at `start`; what lies behind it is padding. */
export function parseArp(
  bytes: Uint8Array,
  start: number,
  end: number,
): ArpRepr | ArpProblem {
  const problem = checkArp(bytes, start, end);
  if (problem !== undefined) return problem;
  const senderMac = start + ARP_SENDER_MAC;
  const targetMac = start + ARP_TARGET_MAC;
  return {
    operation: arpOperation(bytes, start),
    senderMac: bytes.slice(senderMac, senderMac + MAC_BYTES),
    senderAddress: arpSenderAddress(bytes, start),
    targetMac: bytes.slice(targetMac, targetMac + MAC_BYTES),
    targetAddress: arpTargetAddress(bytes, start),
  };
}

/** Bytes of the packet. */
export function arpBytes(_repr: ArpRepr): number {
  return ARP_BYTES;
}

/**
 * Writes the packet at `at`.
 * @returns its bytes.
 * @throws {RangeError} when it does not fit.
 */
export function emitArp(repr: ArpRepr, bytes: Uint8Array, at: number): number {
  if (at + ARP_BYTES > bytes.length) {
    throw new RangeError(
      `arp: ${ARP_BYTES} bytes do not fit at ${at} of ${bytes.length}`,
    );
  }
  setU16(bytes, at, ETHERNET);
  setU16(bytes, at + 2, ETHERTYPE.ipv4);
  bytes[at + 4] = MAC_BYTES;
  bytes[at + 5] = 4;
  setArpOperation(bytes, at, repr.operation);
  setMac(bytes, at + ARP_SENDER_MAC, repr.senderMac);
  setArpSenderAddress(bytes, at, repr.senderAddress);
  setMac(bytes, at + ARP_TARGET_MAC, repr.targetMac);
  setArpTargetAddress(bytes, at, repr.targetAddress);
  return ARP_BYTES;
}
