/** Which frames are whole TCP or UDP packets, and where their headers are. */

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Transport } from "../../../drivers/segment/transport.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** Where a packet's headers are, from the frame's first byte on. */
type Found = Pick<
  Transport,
  "version" | "protocol" | "network" | "transport" | "payload" | "end"
>;

/** Says the same as `Transport.find` in RFC order, and throws where it would leave the frame. */
function findSlowly(frame: DataView): Found | undefined {
  let network = 14;
  let tags = 0;
  while ([0x8100, 0x88a8].includes(frame.getUint16(network - 2))) {
    network += 4;
    if (++tags > 2) return undefined;
  }
  const type = frame.getUint16(network - 2);
  if (type !== 0x0800 && type !== 0x86dd) return undefined;
  const version = type === 0x0800 ? 4 : 6;
  if (frame.getUint8(network) >>> 4 !== version) return undefined;
  const [transport, end, protocol] = version === 4
    ? ipv4(frame, network)
    : ipv6(frame, network);
  const packet = new DataView(frame.buffer, frame.byteOffset, end);
  const [payload, last] = protocol === 6
    ? [tcp(packet, transport), end]
    : protocol === 17
    ? udp(packet, transport)
    : refuse();
  return { version, protocol, network, transport, payload, end: last };
}

function refuse(): never {
  throw new RangeError("not a packet");
}

type Network = readonly [transport: number, end: number, protocol: number];

function ipv4(frame: DataView, at: number): Network {
  const header = (frame.getUint8(at) & 15) * 4;
  const total = frame.getUint16(at + 2);
  const fragment = frame.getUint16(at + 6) & 0x3fff;
  if (header < 20 || total < header || fragment !== 0) refuse();
  return [at + header, at + total, frame.getUint8(at + 9)];
}

function ipv6(frame: DataView, at: number): Network {
  const end = at + 40 + frame.getUint16(at + 4);
  const packet = new DataView(frame.buffer, frame.byteOffset, end);
  let next = packet.getUint8(at + 6);
  let transport = at + 40;
  for (let left = 8; next === 0 || next === 60; left--) {
    if (left === 0) refuse();
    next = packet.getUint8(transport);
    transport += 8 + 8 * packet.getUint8(transport + 1);
  }
  return [transport, end, next];
}

function tcp(packet: DataView, at: number): number {
  const header = (packet.getUint8(at + 12) >>> 4) * 4;
  if (header < 20 || at + header > packet.byteLength) refuse();
  return at + header;
}

function udp(packet: DataView, at: number): [payload: number, end: number] {
  const size = packet.getUint16(at + 4);
  if (size < 8 || at + size > packet.byteLength) refuse();
  return [at + 8, at + size];
}

/** What a length says too much or too little: mostly nothing. */
const slip = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1) },
  { weight: 1, arbitrary: fc.integer({ min: -30, max: 30 }) },
);

function extensions(
  types: number[],
  minLength: number,
  maxLength: number,
): fc.Arbitrary<[type: number, words: number][]> {
  const header = fc.tuple(fc.constantFrom(...types), fc.nat(2));
  return fc.array(header, { minLength, maxLength });
}

const shapes = fc.record({
  tags: fc.array(fc.constantFrom(0x8100, 0x88a8), { maxLength: 3 }),
  type: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(0x0800, 0x86dd) },
    { weight: 1, arbitrary: fc.constantFrom(0x0806, 0x88b5) },
  ),
  version: fc.oneof(
    { weight: 20, arbitrary: fc.constant("right" as const) },
    { weight: 1, arbitrary: fc.nat(15) },
  ),
  headerWords: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 5, max: 15 }) },
    { weight: 1, arbitrary: fc.nat(5) },
  ),
  fragment: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 0x4000, 0x8000) },
    { weight: 1, arbitrary: fc.constantFrom(0x2000, 1, 0x1fff, 0x2001) },
  ),
  /** Extension headers: their types, and words of 8 bytes beyond the first. */
  extensions: fc.oneof(
    extensions([0, 60], 0, 2),
    extensions([0, 60], 7, 9),
    extensions([0, 60, 43, 44], 0, 3),
  ),
  protocol: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(6, 17) },
    { weight: 1, arbitrary: fc.constantFrom(1, 58, 16, 7) },
  ),
  transportWords: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 5, max: 15 }) },
    { weight: 1, arbitrary: fc.nat(5) },
  ),
  /** The transport header and what is behind it: small numbers make sense as lengths, too. */
  rest: fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.array(fc.nat(40), { maxLength: 40 })
      .map((bytes) => Uint8Array.from(bytes)),
  ),
  totalSlip: slip,
  datagramSlip: slip,
  extensionSlip: slip,
  padding: fc.nat(3),
  cut: slip.map(Math.abs),
});

type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

/** The frame of a shape, with what would come behind it when it is cut. */
function frameOf(shape: Shape): Uint8Array<ArrayBuffer> {
  const { tags, type, rest, protocol } = shape;
  const frame = new DataView(new ArrayBuffer(600));
  let at = 12;
  for (const tag of tags) {
    frame.setUint16(at, tag);
    at += 4;
  }
  frame.setUint16(at, type);
  const network = at + 2;
  const transport = (type === 0x0800 ? putIpv4 : putIpv6)(
    frame,
    network,
    shape,
  );
  const bytes = new Uint8Array(frame.buffer);
  bytes.set(rest, transport);
  if (protocol === 6) {
    frame.setUint8(transport + 12, shape.transportWords << 4);
  } else frame.setUint16(transport + 4, rest.length + shape.datagramSlip);
  const end = Math.max(transport + rest.length, network + 40);
  return bytes.slice(0, end + shape.padding);
}

function putIpv4(frame: DataView, at: number, shape: Shape): number {
  const version = shape.version === "right" ? 4 : shape.version;
  const { headerWords } = shape;
  frame.setUint8(at, version << 4 | headerWords);
  const total = headerWords * 4 + shape.rest.length + shape.totalSlip;
  frame.setUint16(at + 2, total);
  frame.setUint16(at + 6, shape.fragment);
  frame.setUint8(at + 9, shape.protocol);
  return at + headerWords * 4;
}

function putIpv6(frame: DataView, at: number, shape: Shape): number {
  const { extensions, protocol } = shape;
  const version = shape.version === "right" ? 6 : shape.version;
  frame.setUint8(at, version << 4);
  const nexts = [...extensions.map(([next]) => next), protocol];
  frame.setUint8(at + 6, nexts[0]!);
  let place = at + 40;
  for (const [i, [, words]] of extensions.entries()) {
    frame.setUint8(place, nexts[i + 1]!);
    const isLast = i === extensions.length - 1;
    frame.setUint8(place + 1, words + (isLast ? shape.extensionSlip : 0));
    place += 8 + 8 * words;
  }
  frame.setUint16(
    at + 4,
    Math.max(0, place - at - 40 + shape.rest.length + shape.totalSlip),
  );
  return place;
}

function find(
  bytes: Uint8Array,
  start: number,
  length: number,
): Found | undefined {
  const found = new Transport();
  if (!found.find(bytes, start, length)) return undefined;
  equal(found.start, start);
  const { version, protocol } = found;
  const network = found.network - start;
  const transport = found.transport - start;
  const payload = found.payload - start;
  return {
    ...{ version, protocol, network, transport, payload },
    end: found.end - start,
  };
}

testProperty(
  "whole TCP and UDP packets are found, and nothing else, whatever lies behind the frame",
  { runs: 3000, file },
  fc.property(shapes, fc.nat(5), (shape, start) => {
    const whole = frameOf(shape);
    const length = Math.max(0, whole.length - shape.cut);
    const memory = new Uint8Array(start + whole.length);
    memory.set(whole, start);
    let expected: Found | undefined;
    try {
      expected = findSlowly(new DataView(whole.slice(0, length).buffer));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    deepEqual(find(memory, start, length), expected);
  }),
);
