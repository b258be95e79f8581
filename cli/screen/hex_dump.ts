/** Bytes in hexadecimal and ASCII, as `tcpdump -X` prints them. */

const BYTES_PER_LINE = 16;
/** Five characters for every two bytes. */
const HEX_COLUMNS = 40;

/**
 * `bytes[start .. end)`, a line for each 16 bytes:
 *
 * ```
 * <tab>0x0010:  0a4d 0001 0a4d 0002 0800 f7ff 0001 0000  .M...M..........
 * ```
 */
export function hexDump(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  let text = "";
  for (let at = start; at < end; at += BYTES_PER_LINE) {
    text += dumpLine(bytes, at - start, at, Math.min(end, at + BYTES_PER_LINE));
  }
  return text;
}

function dumpLine(
  bytes: Uint8Array,
  offset: number,
  start: number,
  end: number,
): string {
  let hex = "";
  let ascii = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if ((at - start) % 2 === 0) hex += " ";
    hex += byte.toString(16).padStart(2, "0");
    ascii += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  }
  const place = offset.toString(16).padStart(4, "0");
  return `\t0x${place}: ${hex.padEnd(HEX_COLUMNS)}  ${ascii}\n`;
}
