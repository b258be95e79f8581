/** Captures for the tests: packets as plain values, written to bytes and read back. */

import { concat } from "@std/bytes/concat";
import fc from "fast-check";
import { openCapture } from "../../../drivers/capture/format.ts";
import { emptyPacket } from "../../../drivers/capture/packet.ts";
import {
  makePcapngWriter,
  makePcapWriter,
  type WriterOptions,
} from "../../../drivers/capture/writer.ts";

/** A packet of a capture. */
export interface PlainPacket {
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly linkType: number;
}

/** Any packet of up to `lengthMax` bytes. */
export function anyPacket(lengthMax: number): fc.Arbitrary<PlainPacket> {
  return fc.record({
    bytes: fc.uint8Array({ maxLength: lengthMax }),
    originalLength: fc.integer({ min: lengthMax, max: 0xffffffff }),
    seconds: fc.nat({ max: 0xffffffff }),
    nanoseconds: fc.nat({ max: 999999999 }),
    linkType: fc.constant(1),
  }, { noNullPrototype: true });
}

/** The bytes of a capture of `packets`, in nanoseconds if nothing else is said. */
export function writeCapture(
  format: "pcap" | "pcapng",
  packets: readonly PlainPacket[],
  options: WriterOptions = {},
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const make = format === "pcap" ? makePcapWriter : makePcapngWriter;
  const writer = make((bytes) => parts.push(bytes.slice()), {
    unit: "ns",
    ...options,
  });
  for (const { bytes, ...rest } of packets) {
    const start = 3;
    const buffer = new Uint8Array(bytes.length + 5);
    buffer.set(bytes, start);
    const place = { bytes: buffer, start, length: bytes.length };
    writer.write({ ...emptyPacket(), ...rest, ...place });
  }
  writer.flush();
  return concat(parts);
}

/** All packets of a capture, read in chunks of `chunkBytes` in one reused array. */
export function readCapture(
  bytes: Uint8Array,
  chunkBytes = 1 << 16,
): {
  packets: PlainPacket[];
  warning: string | undefined;
  oddities: string | undefined;
} {
  const reader = openCapture(chunksOf(bytes, chunkBytes));
  const packets: PlainPacket[] = [];
  for (let packet = reader.next(); packet; packet = reader.next()) {
    packets.push({
      bytes: packet.bytes.slice(packet.start, packet.start + packet.length),
      originalLength: packet.originalLength,
      seconds: packet.seconds,
      nanoseconds: packet.nanoseconds,
      linkType: packet.linkType,
    });
  }
  return {
    packets,
    warning: reader.warning,
    oddities: reader.oddities.describe(),
  };
}

function* chunksOf(bytes: Uint8Array, chunkBytes: number) {
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    chunk.set(part);
    yield chunk.subarray(0, part.length);
  }
}
