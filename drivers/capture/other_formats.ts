/** What a file is that begins like no capture that is read here, by its first bytes. */

import type { ByteSource } from "./byte_source.ts";

/** What was expected instead, for a {@link CaptureError}. */
export const PCAP_EXPECTED =
  "a pcap or pcapng header (editcap -F pcapng converts other captures)";

/** The most bytes that are looked at. */
const START_BYTES_MAX = 16;

/** First bytes as text or as numbers, and what they are the start of. */
const STARTS: readonly (readonly [string | readonly number[], string])[] = [
  ["snoop\0\0\0", "a snoop capture (RFC 1761)"],
  ["btsnoop\0", "a btsnoop capture of Bluetooth"],
  ["iptrace ", "an AIX iptrace capture"],
  ["GMBU", "a Microsoft Network Monitor capture"],
  ["RTSS", "a Microsoft Network Monitor capture"],
  ["TRSNIFF data", "a Sniffer capture"],
  ["XCP\0", "a NetXRay capture"],
  ["\x7fver", "a Peek capture"],
  [[0xa1, 0xb2, 0x34, 0xcd], "a patched pcap (a1b234cd)"],
  [[0xcd, 0x34, 0xb2, 0xa1], "a patched pcap (a1b234cd)"],
  [[0xa1, 0x2b, 0x3c, 0x4d], "a Navtel pcap (a12b3c4d)"],
  [[0x4d, 0x3c, 0x2b, 0xa1], "a Navtel pcap (a12b3c4d)"],
  [[0x1c, 0x00, 0x01, 0xac], "an IxNetwork pcap (1c0001ac)"],
  [[0xac, 0x01, 0x00, 0x1c], "an IxNetwork pcap (1c0001ac)"],
  [[0x1c, 0x00, 0x01, 0xab], "an IxNetwork pcap (1c0001ab)"],
  [[0xab, 0x01, 0x00, 0x1c], "an IxNetwork pcap (1c0001ab)"],
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd compression (unpack it: zstd -dc FILE)"],
  [[0x04, 0x22, 0x4d, 0x18], "lz4 compression (unpack it: lz4 -dc FILE)"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz compression (unpack it: xz -dc FILE)"],
  ["BZh", "bzip2 compression (unpack it: bzip2 -dc FILE)"],
  [[0x1f, 0x9d], "compress's compression (unpack it: gzip -dc FILE)"],
  ["PK\x03\x04", "a zip archive (unpack it: unzip -p FILE)"],
  ["\x7fELF", "a program (ELF)"],
];

/** What the source begins with instead of a capture, in words. */
export function describeOtherFormat(source: ByteSource): string {
  let count = START_BYTES_MAX;
  while (!source.ensure(count)) count = source.available;
  const start = source.bytes.subarray(source.start, source.start + count);
  const known = STARTS.find(([magic]) => beginsWith(start, magic));
  if (known !== undefined) return known[1];
  const bytes = [...start.subarray(0, 4)].map((byte) =>
    byte.toString(16).padStart(2, "0")
  ).join("");
  return `the bytes ${bytes}${guess(source, start)}`;
}

function beginsWith(
  start: Uint8Array,
  magic: string | readonly number[],
): boolean {
  const bytes = typeof magic === "string"
    ? [...magic].map((each) => each.charCodeAt(0))
    : magic;
  return bytes.every((byte, at) => start[at] === byte);
}

/** 1990-01-01 in seconds since 1970: no ERF capture is older. */
const ERF_SECONDS_MIN = 631152000;

/** Formats without a magic number. */
function guess(source: ByteSource, start: Uint8Array): string {
  if (start.every((byte) => byte >= 0x20 && byte < 0x7f || byte === 10)) {
    return ", which are text (text2pcap makes a capture of a hex dump)";
  }
  if (start.length < START_BYTES_MAX) return "";
  // ├ fraction, seconds: little-endian ┼ type ┼ flags ┼ record's length: big-endian ┤
  const type = start[8]! & 0x7f;
  const erf = source.u32(4, true) > ERF_SECONDS_MIN &&
    type >= 1 && type <= 48 && source.u16(10, false) >= 18;
  return erf ? ", perhaps an ERF capture of a DAG card" : "";
}
