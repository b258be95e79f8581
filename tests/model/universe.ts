/**
 * A universe of few frames, with grants and filter texts over them, each both
 * as the system takes it and as the set of frames that it stands for.
 *
 * The frames are all combinations of what the grants ask for (a source address,
 * a destination port, ARP, something else) in three lengths, so that two grants
 * share a frame exactly when they share one of these. The longest are longer than
 * a page: only a NIC that receives into extents has them.
 */

import type {
  Conjunction,
  Grant as SystemGrant,
} from "../../services/filter/grant/grant.ts";
import {
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  type Rights,
} from "../../caps/kernel/rights.ts";
import type { Frames, Offload, Right } from "./terms.ts";

/** UDP datagrams from one of two hosts (absent: from both) to a range of ports. */
export interface UdpPart {
  /** The source: host 0 or 1. */
  readonly host?: number;
  /** Ports of {@link PORTS}. */
  readonly low: number;
  /** The last one. */
  readonly high: number;
}

/** A part of a grant. */
export type GrantPart = UdpPart | "all" | "arp";

/** A residual: by length, source or port. */
export type Text = "short" | "host 1" | "port 2";

/** Ports 0 to 3, on the wire from 7000 on. */
export const PORTS = 4;
const HOSTS = 2;
const PORT_BASE = 7000;
/** Two frames of neither host: ARP and one of an unknown type. */
const ARP = PORTS * HOSTS;
const KINDS = ARP + 2;

/** How many frames there are: each kind, in each length. */
export const FRAME_COUNT = 3 * KINDS;

/** How many of those, the first ones, fit into a page. */
export const PAGE_FRAME_COUNT = 2 * KINDS;

/** Bytes of the short frames, of the long ones, and of those longer than a page. */
const SHORT_BYTES = 60;
const LENGTHS = [SHORT_BYTES, 300, 5000] as const;

/** The length of a frame. */
export function bytesOf(frame: number): number {
  return LENGTHS[Math.floor(frame / KINDS)]!;
}

/** Bytes of the headers of a datagram: Ethernet, IPv4 and UDP. */
export const HEADERS_BYTES = 42;

/** Bytes of a frame behind its UDP header; undefined for one that is no datagram. */
export function payloadOf(frame: number): number | undefined {
  return frame % KINDS < ARP ? bytesOf(frame) - HEADERS_BYTES : undefined;
}

/** What a NIC that receives super-packets says of an arriving frame of so many bytes: all those longer than a page are such. */
export function arrivalOf(bytes: number): Offload | undefined {
  if (bytes === SHORT_BYTES) return undefined;
  return bytes === LENGTHS[2]
    ? { checksum: 2, gso: 3, segmentBytes: 1000 }
    : { checksum: 2, gso: 0, segmentBytes: 0 };
}

const all = Array.from({ length: FRAME_COUNT }, (_, frame) => frame);

/** All frames. */
export const everything: Frames = new Set(all);

/** The frames of a grant. */
export function framesOf(grant: readonly GrantPart[]): Frames {
  return new Set(
    all.filter((frame) => grant.some((part) => isOf(frame % KINDS, part))),
  );
}

function isOf(kind: number, part: GrantPart): boolean {
  if (part === "all") return true;
  if (part === "arp") return kind === ARP;
  const port = kind >> 1;
  return kind < ARP && (part.host === undefined || part.host === (kind & 1)) &&
    part.low <= port && port <= part.high;
}

/** A grant, as the system takes it. */
export function grantOf(grant: readonly GrantPart[]): SystemGrant {
  return grant.map(conjunctionOf);
}

function conjunctionOf(part: GrantPart): Conjunction {
  if (part === "all") return {};
  if (part === "arp") return { payload: { kind: "arp" } };
  const { host, low, high } = part;
  const src = { address: [10, 0, 0, host ?? 0], length: 32 };
  return {
    payload: {
      kind: "ipv4",
      fragment: "whole",
      protocol: 17,
      ...(host === undefined ? {} : { src }),
      dstPort: { low: PORT_BASE + low, high: PORT_BASE + high },
    },
  };
}

/** Rights, as the system takes them. */
export function rightsOf(rights: Iterable<Right>): Rights {
  return [...rights].reduce((sum, right) => sum | RIGHTS[right], 0);
}

const RIGHTS: Readonly<Record<Right, Rights>> = {
  receive: RIGHT_RECEIVE,
  observe: RIGHT_OBSERVE,
  send: RIGHT_SEND,
  derive: RIGHT_DERIVE,
  delegate: RIGHT_DELEGATE,
};

/** The frames that a text is true of. */
export function framesOfText(text: Text): Frames {
  return new Set(all.filter((frame) => {
    const kind = frame % KINDS;
    if (text === "short") return bytesOf(frame) === SHORT_BYTES;
    if (text === "host 1") return kind < ARP && (kind & 1) === 1;
    return kind < ARP && kind >> 1 === 2;
  }));
}

/** A text, as the system takes it. */
export function textOf(text: Text): string {
  if (text === "short") return `less ${SHORT_BYTES}`;
  if (text === "host 1") return "ip src host 10.0.0.1";
  return `udp dst port ${PORT_BASE + 2}`;
}

/** Every byte of a frame that nothing else says: which kind it is. */
const FILL = 0x40;

const templates = all.map(template);

/**
 * The bytes of a frame, with a number in its last four by which one is told
 * from another of its kind. Checksums are left out: nothing here looks at them.
 */
export function writeFrame(
  frame: number,
  serial: number,
): Uint8Array<ArrayBuffer> {
  const bytes = templates[frame]!.slice();
  new DataView(bytes.buffer).setUint32(bytes.length - 4, serial);
  return bytes;
}

/** Which frame these bytes are, as `frame#serial`; what is none is said so. */
export function nameOf(bytes: Uint8Array): string {
  const length = LENGTHS.findIndex((length) => length === bytes.length);
  const frame = bytes[SHORT_BYTES - 5]! - FILL + length * KINDS;
  const template = templates[frame];
  if (template?.length !== bytes.length) return `no frame: ${bytes}`;
  for (let i = 0; i < bytes.length - 4; i++) {
    if (bytes[i] !== template[i]) return `a changed frame: ${bytes}`;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return `${frame}#${view.getUint32(bytes.length - 4)}`;
}

function template(frame: number): Uint8Array<ArrayBuffer> {
  const length = bytesOf(frame);
  const kind = frame % KINDS;
  const bytes = new Uint8Array(length).fill(FILL + kind);
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], 0);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, kind < ARP ? 0x0800 : kind === ARP ? 0x0806 : 0x88b5);
  if (kind < ARP) {
    bytes.set([0x45, 0], 14);
    view.setUint16(16, length - 14);
    bytes.set([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, kind & 1, 10, 0, 0, 9], 18);
    view.setUint16(34, 9);
    view.setUint16(36, PORT_BASE + (kind >> 1));
    view.setUint16(38, length - 34);
    view.setUint16(40, 0);
  } else if (kind === ARP) {
    bytes.set([0, 1, 8, 0, 6, 4, 0, 1], 14);
  }
  return bytes;
}
