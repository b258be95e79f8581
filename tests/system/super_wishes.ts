/** What a test has a confined core wish of what it sends, and what must come of it. */

import fc from "fast-check";
import {
  CHECKSUM_PARTIAL,
  checksumOf,
  offloadWord,
  segmentBytesOf,
} from "../../caps/port/offload.ts";
import type { Arbitrary } from "../arbitraries/arbitrary.ts";
import {
  segmentsOf,
  type SuperPacket,
  type SuperPacketParts,
  superPacketParts,
} from "../arbitraries/super_packets.ts";
import { segmentingOf } from "../oracles/segmenting.ts";
import { buildPatterned, patterned } from "./ordered_system.ts";

const ETHERNET_BYTES = 14;

/** The longest IP packet, and the longest headers of any of these. */
const IP_BYTES_MAX = 65_535;
const HEADERS_BYTES_MAX = 40 + 16 + 60;

/** The most that an outbox has room for. */
const OUTBOX_BYTES_MAX = 65_504;

/** What the core says of a frame that its outbox has no room for. */
export const NO_ROOM = "drop:no-room";

/** The longest super-packet, with an Ethernet header and two tags. */
const SUPER_BYTES_MAX = IP_BYTES_MAX + ETHERNET_BYTES + 8;

/** Ways in which a packet's headers lie: none of what results is a whole TCP or UDP packet. */
const LIES: Readonly<
  Record<string, (packet: SuperPacket, view: DataView) => void>
> = {
  "an IP header shorter than any": ({ version, network }, view) =>
    view.setUint8(network, version === 4 ? 0x44 : 0x50),
  "longer than its frame": ({ version, network, frame }, view) => {
    const [field, header] = version === 4 ? [2, 0] : [4, 40];
    view.setUint16(network + field, frame.length - network - header + 1);
  },
  "a checksum that begins behind its end": ({ version, network }, view) => {
    view.setUint8(network, version === 4 ? 0x4f : 0x60);
    view.setUint16(network + (version === 4 ? 2 : 4), 40);
    if (version === 4) return;
    view.setUint8(network + 6, 0);
    view.setUint8(network + 41, 255);
  },
  "a transport header shorter than any": ({ protocol, transport }, view) =>
    protocol === 6
      ? view.setUint8(transport + 12, 0x40)
      : view.setUint16(transport + 4, 7),
  "a fragment": ({ version, network }, view) =>
    version === 4
      ? view.setUint16(network + 6, 0x2000)
      : view.setUint8(network + 6, 44),
  "neither TCP nor UDP": ({ version, network }, view) =>
    view.setUint8(network + (version === 4 ? 9 : 6), version === 4 ? 1 : 58),
  "no IP": ({ network }, view) => view.setUint16(network - 2, 0x88b7),
};

/** What the core is ordered to send. */
export interface Wish {
  readonly parts: SuperPacketParts;
  readonly word: number;
  /** One of {@link LIES}. */
  readonly lie: string | undefined;
}

const parts = fc.oneof(
  superPacketParts(3000),
  superPacketParts(65_300),
  // As long as an IP packet is, and longer than an outbox has room for.
  superPacketParts(100).map((parts) => ({
    ...parts,
    payloadBytes: IP_BYTES_MAX - HEADERS_BYTES_MAX - parts.payloadBytes,
  })),
)
  // A packet socket shows no tags.
  .map((parts) => ({ ...parts, tags: 0 }));

const word = fc.tuple(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(CHECKSUM_PARTIAL) },
    { weight: 1, arbitrary: fc.nat(255) },
  ),
  // Whatever is said here: the packet's own headers say what it is.
  fc.nat(255),
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }) },
    { weight: 4, arbitrary: fc.integer({ min: 200, max: 4000 }) },
    { weight: 1, arbitrary: fc.nat(65_535) },
  ),
).map(([checksum, gso, segmentBytes]) =>
  offloadWord(checksum, gso, segmentBytes)
);

/** Any wish; one in four has a lie in its headers. */
export const wish: Arbitrary<Wish> = fc.record({
  parts,
  word,
  lie: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(LIES)) },
  ),
});

/** A frame that came, whose checksum was to be completed. */
export interface Finished {
  readonly bytes: Uint8Array;
  /** What tshark has to say of it, by {@link FIELDS}. */
  readonly facts: readonly string[];
}

/** What must come of a wish: these frames, with facts where they are finished for the core; a reason when nothing goes out. */
export type Outcome =
  | string
  | { readonly packet: SuperPacket; readonly facts?: readonly string[] }[];

/** The packet, with what is wrong in it; its payload is where that of an honest one is. */
export function packetOf({ parts, lie }: Wish): SuperPacket {
  const packet = buildPatterned(parts);
  if (lie !== undefined) LIES[lie]!(packet, new DataView(packet.frame.buffer));
  return packet;
}

/** What comes of a wish, where the wire takes packets of `mtu` bytes. */
export function outcomeOf(wish: Wish, mtu: number): Outcome {
  const { parts, word, lie } = wish;
  const packet = packetOf(wish);
  const { frame, payload } = packet;
  if (frame.length > OUTBOX_BYTES_MAX) return NO_ROOM;
  const wire = mtu + ETHERNET_BYTES;
  const wanted = segmentBytesOf(word);
  const asks = wanted > 0 || checksumOf(word) === CHECKSUM_PARTIAL;
  if (!asks) {
    return frame.length > wire ? "send-too-large" : [{ packet }];
  }
  // Tags may make a frame longer than the wire's, and only IP tells that there are none.
  const longest = wanted > 0 ? SUPER_BYTES_MAX : wire + 8;
  if (frame.length > longest) return "send-too-large";
  if (lie !== undefined) return "send-not-completable";
  const sizes = { wire, headers: payload, wanted };
  const segmenting = segmentingOf(parts, sizes);
  if (typeof segmenting === "string") return segmenting;
  const { size, count } = segmenting;
  const whole = patterned(parts.payloadBytes);
  const segments = size === 0 ? [packet] : segmentsOf(parts, size);
  return segments.map((segment, i) => {
    const data = whole.subarray(i * size, (i + 1) * size);
    segment.frame.set(data, segment.payload);
    const facts = factsOf(parts, i, i === count - 1, i * size, data.length);
    return { packet: segment, facts };
  });
}

const FIN_AND_PSH = 0x09;
const CWR = 0x80;

/** What tshark is asked of each frame: absent fields are empty. */
export const FIELDS = [
  "ip.checksum.status",
  "ip.id",
  "tcp.checksum.status",
  "tcp.seq_raw",
  "tcp.flags",
  "tcp.len",
  "udp.checksum.status",
  "udp.length",
];
const GOOD = "1";

/** Of segment `index`, with `bytes` of payload from `from` on. */
function factsOf(
  { version, protocol, identification, sequence, flags }: SuperPacketParts,
  index: number,
  last: boolean,
  from: number,
  bytes: number,
): string[] {
  const hex = (value: number) => `0x${value.toString(16).padStart(4, "0")}`;
  const kept = flags & (last ? 0xff : ~FIN_AND_PSH) &
    (index === 0 ? 0xff : ~CWR);
  const ip = version === 4
    ? [GOOD, hex((identification + index) % 65536)]
    : ["", ""];
  const tcp = [
    GOOD,
    String((sequence + from) % 2 ** 32),
    hex(kept),
    `${bytes}`,
  ];
  return protocol === 6
    ? [...ip, ...tcp, "", ""]
    : [...ip, "", "", "", "", GOOD, String(8 + bytes)];
}
