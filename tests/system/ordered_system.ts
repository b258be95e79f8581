/** A system with a confined service that sends what a test orders (super_sender.ts), beside services that answer pings. */

import {
  buildSuperPacket,
  type SuperPacket,
  type SuperPacketParts,
} from "../arbitraries/super_packets.ts";
import { DEFAULT_MANIFEST } from "../../services/manifest/manifest.ts";
import type { Namespace } from "../netns.ts";
import { type UpProcess, upWithManifest } from "./up_process.ts";

/** The address that answers pings. */
const ADDRESS = "10.77.0.2/24";

const SENDER = new URL("./super_sender.ts", import.meta.url).pathname;

/** The hardware addresses that {@link buildSuperPacket} gives a frame. */
const FROM = "02:00:00:00:00:01";
const TO = "02:00:00:00:00:02";

const ETHER_TYPE_ORDER = 0x88b5;
const ETHER_TYPE_MARK = 0x88b6;
const MARK_BYTES = 60;

/** Starts it in `space`. It has room for the segments of a super-packet. */
export function startOrdered(
  space: Namespace,
  nic: string,
): UpProcess & AsyncDisposable {
  const sender = {
    core: "module" as const,
    path: SENDER,
    receives: `ether proto 0x88b5 or ether dst ${FROM}`,
    sends: `ether src ${FROM}`,
    quotaPages: 600,
  };
  const manifest = {
    ...DEFAULT_MANIFEST,
    nic,
    address: ADDRESS,
    extents: 16,
    services: {
      arp: { core: "arp" },
      "icmp-echo": { core: "icmp-echo" },
      sender,
    },
  };
  return upWithManifest(manifest, { space });
}

/** What the service puts behind a frame's first bytes. */
export function patterned(sizeBytes: number): Uint8Array {
  return Uint8Array.from(
    { length: sizeBytes },
    (_, i) => Math.imul(i, 2654435761) >>> 24,
  );
}

/** A packet whose payload is the service's pattern. */
export function buildPatterned(parts: SuperPacketParts): SuperPacket {
  const packet = buildSuperPacket(parts);
  packet.frame.set(patterned(parts.payloadBytes), packet.payload);
  return packet;
}

/** The order to send a frame of `sizeBytes` that begins with `first`, with such an offload word. */
export function orderOf(
  offload: number,
  sizeBytes: number,
  first: Uint8Array,
): Uint8Array {
  const order = new Uint8Array(Math.max(MARK_BYTES, 22 + first.length));
  const view = new DataView(order.buffer);
  order.set([...macOf(FROM), ...macOf(TO)]);
  view.setUint16(12, ETHER_TYPE_ORDER);
  view.setUint32(14, offload);
  view.setUint32(18, sizeBytes);
  order.set(first.subarray(0, sizeBytes), 22);
  return order.subarray(0, 22 + first.length);
}

/** The order to send a frame that is known again, by which a test sees that all before it is done. */
export function markOf(number: number): Uint8Array {
  const first = new Uint8Array(18);
  first.set([...macOf(TO), ...macOf(FROM)]);
  const view = new DataView(first.buffer);
  view.setUint16(12, ETHER_TYPE_MARK);
  view.setUint32(14, number);
  return orderOf(0, MARK_BYTES, first);
}

/** The number of such a frame; undefined for every other. */
export function markIn(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return view.getUint16(12) === ETHER_TYPE_MARK
    ? view.getUint32(14)
    : undefined;
}

/** Whether a frame is one that the service sent. */
export function isFromSender(frame: Uint8Array): boolean {
  return macOf(FROM).every((byte, i) => frame[6 + i] === byte);
}

function macOf(text: string): number[] {
  return text.split(":").map((byte) => parseInt(byte, 16));
}
