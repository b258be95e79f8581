/** Frames by their fields: what benchmarks classify. Checksums are left at zero; nothing here looks at them. */

/** All frames have this many bytes: small ones, where classification weighs most. */
export const FRAME_BYTES = 128;

export const TCP = 6;
export const UDP = 17;
export const ICMP = 1;

/** An IP datagram in an Ethernet frame. */
export interface DatagramFields {
  readonly version: 4 | 6;
  /** In a VLAN of this number; untagged by default. */
  readonly vlan?: number;
  /** An IPv4 address; in IPv6 the last four bytes of one in 2001:db8::/32. */
  readonly source: number;
  readonly target: number;
  readonly protocol: number;
  /** Of ICMP the first four bytes are as if these were ports, too. */
  readonly sourcePort: number;
  readonly targetPort: number;
  /** IPv4: 32-bit words of options. */
  readonly optionWords?: number;
  /** A part of a datagram, this many bytes from its start. */
  readonly fragment?: number;
}

/** The frame of a datagram. */
export function makeDatagram(fields: DatagramFields): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  const type = fields.version === 4 ? 0x0800 : 0x86dd;
  const at = writeEthernet(view, type, fields.vlan);
  const after = fields.version === 4
    ? writeIpv4(view, at, fields)
    : writeIpv6(view, at, fields);
  view.setUint16(after, fields.sourcePort);
  view.setUint16(after + 2, fields.targetPort);
  return frame;
}

/** The frame in which `sender` asks who has the IPv4 address `target`. */
export function makeArpRequest(
  sender: number,
  target: number,
  vlan?: number,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  const at = writeEthernet(view, 0x0806, vlan);
  frame.set([0, 1, 8, 0, 6, 4, 0, 1], at);
  view.setUint32(at + 14, sender);
  view.setUint32(at + 24, target);
  return frame;
}

/** An IPv4 address as a number. */
export function addressNumber(address: string): number {
  return address.split(".").reduce(
    (number, part) => number * 256 + Number(part),
    0,
  );
}

/** Returns where the payload begins. */
function writeEthernet(
  view: DataView,
  type: number,
  vlan: number | undefined,
): number {
  for (let i = 0; i < 12; i++) view.setUint8(i, i < 6 ? 0x02 : 0x06);
  if (vlan === undefined) {
    view.setUint16(12, type);
    return 14;
  }
  view.setUint16(12, 0x8100);
  view.setUint16(14, vlan);
  view.setUint16(16, type);
  return 18;
}

function writeIpv4(view: DataView, at: number, fields: DatagramFields): number {
  const { optionWords = 0, fragment = 0 } = fields;
  view.setUint8(at, 0x45 + optionWords);
  view.setUint16(at + 2, FRAME_BYTES - at);
  view.setUint16(at + 6, fragment / 8);
  view.setUint8(at + 8, 64);
  view.setUint8(at + 9, fields.protocol);
  view.setUint32(at + 12, fields.source);
  view.setUint32(at + 16, fields.target);
  return at + 20 + 4 * optionWords;
}

function writeIpv6(view: DataView, at: number, fields: DatagramFields): number {
  const { fragment = 0, protocol } = fields;
  view.setUint8(at, 0x60);
  view.setUint16(at + 4, FRAME_BYTES - at - 40);
  view.setUint8(at + 6, fragment === 0 ? protocol : 44);
  view.setUint8(at + 7, 64);
  for (const address of [at + 8, at + 24]) view.setUint32(address, 0x20010db8);
  view.setUint32(at + 20, fields.source);
  view.setUint32(at + 36, fields.target);
  if (fragment === 0) return at + 40;
  view.setUint8(at + 40, protocol);
  view.setUint16(at + 42, fragment);
  return at + 48;
}
