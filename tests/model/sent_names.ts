/** What went out of a frame, in words: by what is seen of it, and by what the model says of it. */

import { checksumOf, gsoOf, segmentBytesOf } from "../../caps/port/offload.ts";
import type { Offload, Outgoing } from "./terms.ts";
import { HEADERS_BYTES, nameOf, writeFrame } from "./universe.ts";

/** Offsets into a datagram of the universe. */
const IP = 14;
const UDP = 34;
const CHECKSUM = UDP + 6;

const GSO_UDP = 3;

/** What an offload word says; undefined where it says nothing. */
export function offloadOf(word: number): Offload | undefined {
  if (word === 0) return undefined;
  const [checksum, gso] = [checksumOf(word), gsoOf(word)];
  return { checksum, gso, segmentBytes: segmentBytesOf(word) };
}

/** What an offload word says, to be put behind a name. */
export function nameOfOffload(offload: Offload | undefined): string {
  if (offload === undefined) return "";
  const { checksum, gso, segmentBytes } = offload;
  return ` with ${checksum}, ${gso}, ${segmentBytes}`;
}

/** What a wire got: a frame of the universe by its name, all else byte by byte; and what its NIC was told. */
export function nameSent(
  bytes: Uint8Array,
  offload: Offload | undefined,
): string {
  const name = nameOf(bytes);
  const known = /^\d+#/.test(name) ? name : nameOfBytes(bytes);
  return known + nameOfOffload(offload);
}

/** Names what goes out by the model, for the frame of such a number, as {@link nameSent} does. */
export function nameOutgoing(
  { record, completed, segment, segmentBytes }: Outgoing,
  serial: number,
): string {
  const frame = writeFrame(record.frame, serial);
  if (!completed) {
    const gso = segmentBytes === 0 ? 0 : GSO_UDP;
    const told = segmentBytes === undefined
      ? undefined
      : { checksum: 2, gso, segmentBytes };
    return nameSent(frame, told);
  }
  const bytes = segment === undefined ? frame : segmentFrom(frame, segment);
  const view = new DataView(bytes.buffer);
  const sum = 17 + view.getUint16(UDP + 4) +
    sumOf(bytes, IP + 12, bytes.length);
  view.setUint16(CHECKSUM, complementOf(sum) || 0xffff);
  return nameSent(bytes, undefined);
}

function segmentFrom(
  frame: Uint8Array,
  { index, from, to }: NonNullable<Outgoing["segment"]>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADERS_BYTES + to - from);
  bytes.set(frame.subarray(0, HEADERS_BYTES));
  const payload = frame.subarray(HEADERS_BYTES + from, HEADERS_BYTES + to);
  bytes.set(payload, HEADERS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(IP + 2, bytes.length - IP);
  view.setUint16(IP + 4, view.getUint16(IP + 4) + index);
  view.setUint16(IP + 10, complementOf(sumOf(bytes, IP, UDP)));
  view.setUint16(UDP + 4, bytes.length - UDP);
  return bytes;
}

/** The sum of `[from .. to)` in words of 16 bits (RFC 1071). */
function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) {
    sum += (i - from) % 2 === 0 ? bytes[i]! * 256 : bytes[i]!;
  }
  return sum;
}

function complementOf(sum: number): number {
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + sum % 0x10000;
  return 0xffff - sum;
}

/** A length, the headers, the end, and a hash of all bytes (FNV-1a). */
function nameOfBytes(bytes: Uint8Array): string {
  const hash = bytes.reduce(
    (hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0,
    0x811c9dc5,
  );
  const headers = bytes.subarray(IP, HEADERS_BYTES).toHex();
  const end = bytes.subarray(-4).toHex();
  return `${bytes.length} bytes ${headers} … ${end} (${hash.toString(16)})`;
}
