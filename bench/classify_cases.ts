/**
 * What `classify` classifies: filters in three spellings (a grant, libpcap's
 * text, the numbers that the C tables take) and a batch of packets, of which
 * half are somebody's.
 *
 * Filter i, counted from 0, gets slot i + 1. The even ones are UDP ports, the
 * odd ones exact TCP flows; bench/reference/classify.c has the first ten in its
 * code.
 */

import {
  type Batch,
  BATCH_MAX,
  frameOffset,
  type PacketMemory,
} from "../caps/memory.ts";
import { ipv4 } from "../services/filter/builder.ts";
import type { Grant } from "../services/filter/grant.ts";

/** How many filters are installed, case by case. */
export const FILTER_COUNTS = [1, 10, 100, 1000] as const;

/** The address that all filters are about. */
const OURS = "10.77.0.2";
const FLOW_PORT = 443;

/** One filter. */
export interface CaseFilter {
  readonly slot: number;
  readonly grant: Grant;
  /** The same for libpcap. */
  readonly text: string;
  /** The same as numbers: what a packet must have. */
  readonly wants: Wanted;
}

/** The fields in which the filters differ. Absent ones may be anything. */
export interface Wanted {
  readonly protocol: "udp" | "tcp";
  /** As a number; most significant byte first. */
  readonly source?: number;
  readonly sourcePort?: number;
  readonly port: number;
}

/** Filter `index`. */
export function caseFilter(index: number): CaseFilter {
  const slot = index + 1;
  if (index % 2 === 0) {
    const port = 1000 + 7 * (index / 2);
    return {
      slot,
      grant: ipv4().udp().dst(OURS).dstPort(port).grant,
      text: `ip and dst host ${OURS} and udp dst port ${port}`,
      wants: { protocol: "udp", port },
    };
  }
  const source = `10.78.${index >>> 8}.${index & 255}`;
  const sourcePort = 40000 + index;
  return {
    slot,
    grant: ipv4().tcp().src(source).dst(OURS).srcPort(sourcePort)
      .dstPort(FLOW_PORT).grant,
    text: `ip and src host ${source} and dst host ${OURS} and tcp ` +
      `src port ${sourcePort} and tcp dst port ${FLOW_PORT}`,
    wants: {
      protocol: "tcp",
      source: addressNumber(source),
      sourcePort,
      port: FLOW_PORT,
    },
  };
}

/** The first `count` filters. */
export function caseFilters(count: number): CaseFilter[] {
  return Array.from({ length: count }, (_, index) => caseFilter(index));
}

/** Packets are this long: small ones, where classification weighs most. */
const PACKET_BYTES = 128;
/** Where a NIC puts a packet in its frame. */
const HEADROOM_BYTES = 256;

/**
 * Fills the batch with `BATCH_MAX` packets, one a frame: half are one filter's,
 * a quarter miss by a port, a quarter are for others, not IPv4, or cut short.
 */
export function fillBatch(
  memory: PacketMemory,
  batch: Batch,
  filters: readonly CaseFilter[],
): void {
  const random = seededRandom(0x5a11);
  for (let i = 0; i < BATCH_MAX; i++) {
    const { wants } = filters[Math.floor(random() * filters.length)]!;
    const packet = packetFor(wants, i % 4 < 2 ? "match" : "miss", random);
    if (i % 4 === 3) spoil(packet, Math.floor(i / 4) % 4);
    const length = i % 16 === 15 ? 20 : PACKET_BYTES;
    const offset = frameOffset(i) + HEADROOM_BYTES;
    memory.bytes.set(packet, offset);
    batch.offset[i] = offset;
    batch.length[i] = length;
    batch.slot[i] = 0;
  }
}

function packetFor(
  wants: Wanted,
  fate: "match" | "miss",
  random: () => number,
): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, PACKET_BYTES - 14);
  view.setUint8(22, 64);
  view.setUint8(23, wants.protocol === "udp" ? 17 : 6);
  view.setUint32(26, wants.source ?? addressNumber("10.79.1.1"));
  view.setUint32(30, addressNumber(OURS));
  view.setUint16(34, wants.sourcePort ?? 1024 + Math.floor(random() * 60000));
  // Ports from 1000 on are seven apart: one more is nobody's.
  view.setUint16(36, fate === "match" ? wants.port : wants.port + 1);
  return packet;
}

/** Makes a packet nobody's in one of four ways. */
function spoil(packet: Uint8Array, way: number): void {
  const view = new DataView(packet.buffer);
  if (way === 0) view.setUint16(12, 0x0806);
  else if (way === 1) view.setUint16(12, 0x86dd);
  else if (way === 2) view.setUint32(30, addressNumber("10.77.0.3"));
  else view.setUint8(23, 1);
}

function addressNumber(address: string): number {
  return address.split(".").reduce(
    (number, part) => number * 256 + Number(part),
    0,
  );
}

/** Numbers from 0 up to 1, the same in every run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
