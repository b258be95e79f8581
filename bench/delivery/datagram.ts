/** The packet that `deliver` and `growth` have come, again and again. */

/** An IPv4 UDP frame of `sizeBytes` to `port`. */
export function datagram(
  sizeBytes: number,
  port: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, sizeBytes - 14);
  view.setUint8(23, 17);
  view.setUint16(36, port);
  return bytes;
}
