/**
 * Arbitraries for whole frames: valid ones of each protocol, mutated ones, and
 * noise. Every frame is a buffer of its own, exactly as long as the frame.
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import { arpBytes, type ArpRepr, emitArp } from "../../services/wire/arp.ts";
import {
  emitEthernet,
  ethernetBytes,
  type EthernetRepr,
} from "../../services/wire/ethernet.ts";
import {
  emitIcmp,
  icmpBytes,
  type IcmpRepr,
} from "../../services/wire/icmp.ts";
import {
  emitIpv4,
  ipv4Bytes,
  type Ipv4Repr,
} from "../../services/wire/ipv4.ts";
import { pseudoHeaderSum } from "../../services/wire/checksum.ts";
import { emitUdp, udpBytes, type UdpRepr } from "../../services/wire/udp.ts";
import {
  arpRepr,
  bits,
  bytesOf,
  bytesUpTo,
  ethernetRepr,
  icmpRepr,
  ipv4Repr,
  plainIpv4Repr,
  port,
  udpRepr,
} from "./reprs.ts";

/** Bytes of one frame. */
export type FrameBytes = Uint8Array<ArrayBuffer>;

/** Payload bytes of the frames drawn here, at most. */
const PAYLOAD_BYTES_MAX = 96;

/** The frame of an ARP packet. */
export function buildArp(ethernet: EthernetRepr, arp: ArpRepr): FrameBytes {
  const frame = new Uint8Array(ethernetBytes(ethernet) + arpBytes(arp));
  emitArp(arp, frame, emitEthernet(ethernet, frame, 0));
  return frame;
}

/** The frame of an IPv4 packet with `payload` in it; `ipv4.payloadBytes` is not looked at. */
export function buildIpv4(
  ethernet: EthernetRepr,
  ipv4: Ipv4Repr,
  payload: Uint8Array,
): FrameBytes {
  const whole = { ...ipv4, payloadBytes: payload.length };
  const frame = new Uint8Array(
    ethernetBytes(ethernet) + ipv4Bytes(whole) + payload.length,
  );
  let at = emitEthernet(ethernet, frame, 0);
  at += emitIpv4(whole, frame, at);
  frame.set(payload, at);
  return frame;
}

/** The frame of a UDP datagram over IPv4. */
export function buildUdp(
  ethernet: EthernetRepr,
  ipv4: Ipv4Repr,
  udp: UdpRepr,
): FrameBytes {
  const payload = new Uint8Array(udpBytes(udp));
  const { source, destination, protocol } = ipv4;
  emitUdp(udp, payload, 0, pseudoHeaderSum(source, destination, protocol));
  return buildIpv4(ethernet, ipv4, payload);
}

/** The frame of an ICMP message. */
export function buildIcmp(
  ethernet: EthernetRepr,
  ipv4: Ipv4Repr,
  icmp: IcmpRepr,
): FrameBytes {
  const payload = new Uint8Array(icmpBytes(icmp));
  emitIcmp(icmp, payload, 0);
  return buildIpv4(ethernet, ipv4, payload);
}

/** A frame with an ARP packet. */
export function arpFrame(): Arbitrary<FrameBytes> {
  return fc.tuple(ethernetRepr(0x0806), arpRepr())
    .map(([ethernet, arp]) => buildArp(ethernet, arp));
}

/** A frame with a UDP datagram over IPv4: options and fragments now and then. */
export function udpFrame(): Arbitrary<FrameBytes> {
  return fc.tuple(
    ethernetRepr(0x0800),
    fc.oneof(ipv4Repr(0, 17), plainIpv4Repr(0, 17)),
    udpRepr(PAYLOAD_BYTES_MAX),
  ).map(([ethernet, ipv4, udp]) => buildUdp(ethernet, ipv4, udp));
}

/** A frame with an ICMP message: options and fragments now and then. */
export function icmpFrame(): Arbitrary<FrameBytes> {
  return fc.tuple(
    ethernetRepr(0x0800),
    fc.oneof(ipv4Repr(0, 1), plainIpv4Repr(0, 1)),
    icmpRepr(PAYLOAD_BYTES_MAX),
  ).map(([ethernet, ipv4, icmp]) => buildIcmp(ethernet, ipv4, icmp));
}

/** A frame with an IPv4 packet of any protocol, its payload any bytes that start with two ports. */
export function ipv4Frame(): Arbitrary<FrameBytes> {
  return fc.tuple(
    ethernetRepr(0x0800),
    ipv4Repr(0),
    withPorts(PAYLOAD_BYTES_MAX),
  ).map(([ethernet, ipv4, payload]) => buildIpv4(ethernet, ipv4, payload));
}

/**
 * A frame with an IPv6 packet: up to 34 extension headers (more than a filter
 * walks over), then UDP, TCP, ICMPv6 or anything.
 */
export function ipv6Frame(): Arbitrary<FrameBytes> {
  const count = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 3 }) },
    fc.integer({ min: 30, max: 34 }),
  );
  return fc.tuple(
    ethernetRepr(0x86dd),
    bytesOf(40),
    count.chain((n) =>
      fc.array(extensionHeader(), { minLength: n, maxLength: n })
    ),
    fc.oneof(fc.constantFrom(6, 17, 58, 59), bits(8)),
    withPorts(PAYLOAD_BYTES_MAX),
  ).map(([ethernet, fixed, extensions, last, payload]) => {
    const kinds = [...extensions.map((header) => header.kind), last];
    const parts = extensions.map((header, i) => {
      const bytes = Uint8Array.from(header.bytes);
      bytes[0] = kinds[i + 1]!;
      return bytes;
    });
    const body = concat([...parts, payload]);
    const header = Uint8Array.from(fixed);
    header[0] = 0x60 | header[0]! & 0xf;
    header[4] = body.length >>> 8;
    header[5] = body.length;
    header[6] = kinds[0]!;
    const link = new Uint8Array(ethernetBytes(ethernet));
    emitEthernet(ethernet, link, 0);
    return concat([link, header, body]);
  });
}

/** An IPv6 extension header, its first byte (what comes next) still open. */
function extensionHeader(): Arbitrary<
  { readonly kind: number; readonly bytes: FrameBytes }
> {
  // Lengths: in units of 8 after the first 8; of 4 after the first 8 for 51.
  const sized = (kind: number, unit: number, base: number) =>
    fc.integer({ min: 0, max: 2 }).chain((length) =>
      bytesOf(base + unit * length).map((bytes) => {
        bytes[1] = length;
        return { kind, bytes };
      })
    );
  return fc.oneof(
    sized(0, 8, 8),
    sized(43, 8, 8),
    sized(60, 8, 8),
    sized(135, 8, 8),
    sized(51, 4, 8),
    bytesOf(8).map((bytes) => ({ kind: 44, bytes })),
  );
}

/** Bytes that start with two ports mostly. */
function withPorts(max: number): Arbitrary<FrameBytes> {
  return fc.tuple(port(), port(), bytesUpTo(max)).map(([a, b, bytes]) => {
    if (bytes.length >= 4) {
      bytes.set([a >>> 8, a & 255, b >>> 8, b & 255]);
    }
    return bytes;
  });
}

/** A frame of any type with any payload. */
export function otherFrame(): Arbitrary<FrameBytes> {
  return fc.tuple(ethernetRepr(), bytesUpTo(PAYLOAD_BYTES_MAX))
    .map(([ethernet, payload]) => {
      const link = new Uint8Array(ethernetBytes(ethernet));
      emitEthernet(ethernet, link, 0);
      return concat([link, payload]);
    });
}

/** A frame that is what it says, padded behind its end now and then. */
export function validFrame(): Arbitrary<FrameBytes> {
  const frame = fc.oneof(
    { weight: 2, arbitrary: arpFrame() },
    { weight: 3, arbitrary: udpFrame() },
    { weight: 2, arbitrary: icmpFrame() },
    { weight: 2, arbitrary: ipv4Frame() },
    { weight: 2, arbitrary: ipv6Frame() },
    { weight: 1, arbitrary: otherFrame() },
  );
  const padding = fc.oneof(
    { weight: 3, arbitrary: fc.constant(new Uint8Array(0)) },
    bytesUpTo(18),
  );
  return fc.tuple(frame, padding).map((parts) => concat(parts));
}

/** Any bytes at all, none included. */
export function randomFrame(): Arbitrary<FrameBytes> {
  return bytesUpTo(128);
}

/** `frame` cut anywhere, at 0 and at its end included. */
export function truncated(
  frame: Arbitrary<FrameBytes>,
): Arbitrary<FrameBytes> {
  return fc.tuple(frame, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([bytes, share]) => bytes.slice(0, Math.round(share * bytes.length)));
}

/** `frame` with one to four bits flipped, anywhere. */
export function flipped(
  frame: Arbitrary<FrameBytes>,
): Arbitrary<FrameBytes> {
  return fc.tuple(
    frame,
    fc.array(bits(16), { minLength: 1, maxLength: 4 }),
  ).map(([bytes, flips]) => {
    const copy = Uint8Array.from(bytes);
    for (const flip of flips) {
      const at = (flip >>> 3) % Math.max(1, copy.length);
      if (at < copy.length) copy[at] = copy[at]! ^ 1 << (flip & 7);
    }
    return copy;
  });
}

/** A frame as the wire may bring it: valid, damaged, cut, or noise. */
export function anyFrame(): Arbitrary<FrameBytes> {
  return fc.oneof(
    { weight: 4, arbitrary: validFrame() },
    { weight: 3, arbitrary: truncated(validFrame()) },
    { weight: 2, arbitrary: flipped(validFrame()) },
    { weight: 1, arbitrary: randomFrame() },
  );
}

function concat(parts: readonly Uint8Array[]): FrameBytes {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
