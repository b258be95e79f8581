/**
 * Reading capture files of either format. Classic pcap:
 * draft-ietf-opsawg-pcap. pcapng: draft-ietf-opsawg-pcapng.
 */

import { ByteSource, CaptureError } from "./byte_source.ts";
import { ClassicReader } from "./classic.ts";
import type { CaptureReader } from "./packet.ts";
import { PcapngReader, SECTION_HEADER } from "./pcapng.ts";

export { CaptureError } from "./byte_source.ts";
export type { CapturePacket, CaptureReader } from "./packet.ts";

/**
 * Opens a capture of either format and byte order. It reads `chunks` as it
 * needs them and keeps at most one packet.
 * @throws {CaptureError} when it starts like neither.
 */
export function openCapture(chunks: Iterable<Uint8Array>): CaptureReader {
  const source = new ByteSource(chunks);
  if (!source.ensure(4)) {
    throw new CaptureError(
      0,
      `the end of the file after ${source.available} bytes`,
      "a pcap or pcapng header",
    );
  }
  return source.u32(0, false) === SECTION_HEADER
    ? new PcapngReader(source)
    : new ClassicReader(source);
}
