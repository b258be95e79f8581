/** TCP segments and UDP datagrams of any size up to the longest IP packet, built byte by byte. */

import fc from "fast-check";
import { GSO_TCP4, GSO_TCP6, GSO_UDP } from "../../caps/port/offload.ts";

/** A packet, and what was chosen for it. */
export interface SuperPacket {
  readonly version: 4 | 6;
  readonly protocol: 6 | 17;
  /** The whole Ethernet frame; its transport checksum is no good. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Where the IP header is. */
  readonly network: number;
  /** Where the TCP or UDP header is. */
  readonly transport: number;
  /** Where the payload is; it goes to the end of the frame. */
  readonly payload: number;
}

/** What a packet is made of. */
export interface SuperPacketParts {
  readonly version: 4 | 6;
  readonly protocol: 6 | 17;
  /** VLAN tags in front of IP, 0 to 2. */
  readonly tags: number;
  /** 32-bit words of options in the IPv4 header; 64-bit ones of a hop-by-hop header in IPv6. */
  readonly networkOptions: number;
  /** 32-bit words of options in the TCP header. */
  readonly transportOptions: number;
  readonly payloadBytes: number;
  /** TCP's flags. */
  readonly flags: number;
  readonly sequence: number;
  readonly identification: number;
  /** What the payload and the addresses are made from. */
  readonly seed: number;
}

/** Parts of packets whose payload has at most `payloadBytesMax`. */
export function superPacketParts(
  payloadBytesMax: number,
): fc.Arbitrary<SuperPacketParts> {
  return fc.record({
    version: fc.constantFrom(4 as const, 6 as const),
    protocol: fc.constantFrom(6 as const, 17 as const),
    tags: fc.nat(2),
    networkOptions: fc.nat(2),
    transportOptions: fc.nat(10),
    payloadBytes: fc.nat(payloadBytesMax),
    flags: fc.nat(255),
    sequence: fc.nat(0xffffffff),
    identification: fc.nat(0xffff),
    seed: fc.nat(0xffffffff),
  });
}

/** The kind of super-packet that one of these parts is. */
export function kindOf({ version, protocol }: SuperPacketParts): number {
  if (protocol === 17) return GSO_UDP;
  return version === 4 ? GSO_TCP4 : GSO_TCP6;
}

const MACS = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/** Builds it. Addresses are 10.77.1.x and fd77::x, ports from 1024 on. */
export function buildSuperPacket(parts: SuperPacketParts): SuperPacket {
  const { version, protocol, tags } = parts;
  const network = 14 + 4 * tags;
  const transport = network + networkBytes(parts);
  const payload = transport +
    (protocol === 6 ? 20 + 4 * parts.transportOptions : 8);
  const frame = new Uint8Array(payload + parts.payloadBytes);
  const random = mulberry(parts.seed);
  for (let i = payload; i < frame.length; i++) frame[i] = random() * 256;
  const view = new DataView(frame.buffer);
  frame.set(MACS);
  for (let tag = 0; tag < tags; tag++) {
    view.setUint16(12 + 4 * tag, 0x8100);
    view.setUint16(14 + 4 * tag, 1 + tag);
  }
  view.setUint16(network - 2, version === 4 ? 0x0800 : 0x86dd);
  if (version === 4) putIpv4(view, network, transport, parts);
  else putIpv6(view, network, transport, parts);
  if (protocol === 6) putTcp(view, transport, payload, parts);
  else {
    view.setUint16(transport, 5000 + parts.seed % 1000);
    view.setUint16(transport + 2, 7000);
    view.setUint16(transport + 4, frame.length - transport);
    view.setUint16(transport + 6, 0x1234);
  }
  return { version, protocol, frame, network, transport, payload };
}

function networkBytes({ version, networkOptions }: SuperPacketParts): number {
  return version === 4 ? 20 + 4 * networkOptions : 40 + 8 * networkOptions;
}

function putIpv4(
  view: DataView,
  at: number,
  end: number,
  { protocol, identification, seed }: SuperPacketParts,
): void {
  view.setUint8(at, 0x40 | (end - at) / 4);
  view.setUint16(at + 2, view.byteLength - at);
  view.setUint16(at + 4, identification);
  view.setUint16(at + 6, 0x4000);
  view.setUint8(at + 8, 64);
  view.setUint8(at + 9, protocol);
  view.setUint32(at + 12, 0x0a4d0100 + 2 + seed % 100);
  view.setUint32(at + 16, 0x0a4d0101);
  // No-operation options (RFC 791 section 3.1).
  for (let i = at + 20; i < end; i++) view.setUint8(i, 1);
  let sum = 0;
  for (let i = at; i < end; i += 2) sum += view.getUint16(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(at + 10, ~sum & 0xffff);
}

function putIpv6(
  view: DataView,
  at: number,
  end: number,
  { protocol, networkOptions, seed }: SuperPacketParts,
): void {
  view.setUint8(at, 0x60);
  view.setUint16(at + 4, view.byteLength - at - 40);
  view.setUint8(at + 6, networkOptions > 0 ? 0 : protocol);
  view.setUint8(at + 7, 64);
  for (const [from, last] of [[8, 2 + seed % 100], [24, 1]] as const) {
    view.setUint16(at + from, 0xfd77);
    view.setUint16(at + from + 14, last);
  }
  if (networkOptions === 0) return;
  view.setUint8(at + 40, protocol);
  view.setUint8(at + 41, networkOptions - 1);
  // One option of padding (PadN, RFC 8200 section 4.2).
  view.setUint8(at + 42, 1);
  view.setUint8(at + 43, end - (at + 44));
}

function putTcp(
  view: DataView,
  at: number,
  end: number,
  { flags, sequence, seed }: SuperPacketParts,
): void {
  view.setUint16(at, 5000 + seed % 1000);
  view.setUint16(at + 2, 7000);
  view.setUint32(at + 4, sequence);
  view.setUint32(at + 8, seed);
  view.setUint8(at + 12, (end - at) / 4 << 4);
  view.setUint8(at + 13, flags);
  view.setUint16(at + 14, 0xffff);
  view.setUint16(at + 16, 0x1234);
  for (let i = at + 20; i < end; i++) view.setUint8(i, 1);
}

/** Mulberry32. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
}

/**
 * The frames that a wire has of a super-packet whose segments have `segmentBytes`
 * of payload; their transport checksums are no good.
 */
export function segmentsOf(
  parts: SuperPacketParts,
  segmentBytes: number,
): SuperPacket[] {
  const whole = buildSuperPacket(parts);
  const count = Math.ceil(parts.payloadBytes / segmentBytes);
  return Array.from({ length: count }, (_, i) => {
    const from = i * segmentBytes;
    const payloadBytes = Math.min(segmentBytes, parts.payloadBytes - from);
    const segment = buildSuperPacket({
      ...parts,
      payloadBytes,
      sequence: (parts.sequence + from) % 2 ** 32,
      identification: (parts.identification + i) % 65536,
      flags: flagsOf(parts.flags, i === 0, i === count - 1),
    });
    const at = whole.payload + from;
    const payload = whole.frame.subarray(at, at + payloadBytes);
    segment.frame.set(payload, segment.payload);
    return segment;
  });
}

function flagsOf(flags: number, first: boolean, last: boolean): number {
  return flags & (last ? 0xff : ~0x09) & (first ? 0xff : ~0x80);
}

/** Where a frame's headers are. */
interface Headers {
  readonly version: number;
  readonly protocol: number;
  readonly network: number;
  readonly transport: number;
}

/** Where the transport checksum of such a frame is. */
export function checksumField({ protocol, transport }: Headers): number {
  return transport + (protocol === 6 ? 16 : 6);
}

/** The sum of a frame's pseudo-header, not folded. */
function pseudoHeader(
  { version, protocol, network, transport }: Headers,
  view: DataView,
): number {
  let sum = protocol + view.byteLength - transport;
  const [from, to] = version === 4 ? [12, 20] : [8, 40];
  for (let i = network + from; i < network + to; i += 2) {
    sum += view.getUint16(i);
  }
  return sum;
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Whether the transport checksum of a frame that {@link buildSuperPacket} could have made is right. */
export function checksumIsRight(
  packet: Headers,
  frame: Uint8Array,
): boolean {
  const { protocol, transport } = packet;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let sum = pseudoHeader(packet, view);
  for (let i = transport; i < frame.length; i++) {
    sum += frame[i]! << ((i - transport & 1) === 0 ? 8 : 0);
  }
  return fold(sum) === 0xffff &&
    (protocol === 6 || view.getUint16(transport + 6) !== 0);
}

/** Whether its field holds the sum of the pseudo-header alone (CHECKSUM_PARTIAL). */
export function checksumIsBegun(
  packet: Headers,
  frame: Uint8Array,
): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return view.getUint16(checksumField(packet)) ===
    fold(pseudoHeader(packet, view));
}
