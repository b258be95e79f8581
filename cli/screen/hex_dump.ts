/** Bytes in hexadecimal and ASCII, as `tcpdump -X` and `tcpdump -A` print them. */

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
  { ascii }: { readonly ascii: boolean } = { ascii: true },
): string {
  let text = "";
  for (let at = start; at < end; at += BYTES_PER_LINE) {
    const till = Math.min(end, at + BYTES_PER_LINE);
    text += dumpLine(bytes, at - start, at, till, ascii);
  }
  return text;
}

/** `bytes[start .. end)` as text, with a line break behind it; a dot for what cannot be shown. */
export function asciiDump(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    const shown = byte >= 0x20 && byte < 0x7f || byte === TAB || byte === LINE;
    if (byte === RETURN && at + 1 < end && bytes[at + 1] === LINE) continue;
    text += shown ? String.fromCharCode(byte) : ".";
  }
  return `${text}\n`;
}

const TAB = 9, LINE = 10, RETURN = 13;

function dumpLine(
  bytes: Uint8Array,
  offset: number,
  start: number,
  end: number,
  withAscii: boolean,
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
  if (!withAscii) return `\t0x${place}: ${hex}\n`;
  return `\t0x${place}: ${hex.padEnd(HEX_COLUMNS)}  ${ascii}\n`;
}
