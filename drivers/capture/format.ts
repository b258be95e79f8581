/**
 * Reading capture files of either format. Classic pcap:
 * draft-ietf-opsawg-pcap. pcapng: draft-ietf-opsawg-pcapng.
 */

import { ByteSource, CaptureError } from "./byte_source.ts";
import { ClassicReader } from "./classic.ts";
import { GZIP_MAGIC, Unpacked } from "./gzip.ts";
import type { CaptureReader } from "./packet.ts";
import { PcapngReader, SECTION_HEADER } from "./pcapng.ts";

export { CaptureError } from "./byte_source.ts";
export type { CapturePacket, CaptureReader } from "./packet.ts";

/**
 * Opens a capture of either format and byte order, also packed with gzip. It
 * reads `chunks` as it needs them and keeps at most one packet.
 * @throws {CaptureError} when it starts like neither.
 */
export function openCapture(chunks: Iterable<Uint8Array>): CaptureReader {
  let source = started(new ByteSource(chunks));
  if (source.u16(0, false) === GZIP_MAGIC) {
    const unpacked = new Unpacked(source);
    source = started(new ByteSource(unpacked, unpacked));
  }
  return source.u32(0, false) === SECTION_HEADER
    ? new PcapngReader(source)
    : new ClassicReader(source);
}

/** The source, once it has the bytes that tell one format from the other. */
function started(source: ByteSource): ByteSource {
  if (source.ensure(4)) return source;
  throw new CaptureError(
    0,
    `the end of the file after ${source.available} bytes`,
    "a pcap or pcapng header",
  );
}
