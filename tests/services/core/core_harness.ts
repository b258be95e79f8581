/** Puts single frames through a core, and looks at what it does to memory. */

import assert from "node:assert/strict";
import type {
  Core,
  Frame,
  Outbox,
  Verdict,
} from "../../../services/core/core.ts";
import type { EthernetRepr } from "../../../services/wire/ethernet.ts";
import type { Ipv4Repr } from "../../../services/wire/ipv4.ts";

/** The host that the cores under test are: its addresses. */
export const OWN = {
  mac: Uint8Array.of(2, 0, 0, 0, 0, 2),
  address: 0x0a4d0002,
};

/** A neighbour of that host. */
export const NEIGHBOUR = {
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  address: 0x0a4d0001,
};

/** What a core made of a frame. */
export interface Outcome {
  readonly verdict: Verdict;
  /** The frame to send, when the verdict is `"reply"`. */
  readonly reply: Uint8Array<ArrayBuffer>;
}

const GUARD_BYTES = 24;

/** Fails when anything is sent: cores that answer in place send nothing else. */
const noOutbox: Outbox = {
  open: () => assert.fail("the core opened a frame"),
  send: () => assert.fail("the core sent a frame"),
};

/**
 * Lets `core` receive a frame of these bytes. Checks that nothing around the
 * frame is written, and that a reply lies where the frame was.
 */
export function receiveOne(
  core: Core,
  bytes: Uint8Array,
  options: { readonly offload?: number } = {},
): Outcome {
  const buffer = new Uint8Array(bytes.length + 2 * GUARD_BYTES).fill(0xa5);
  buffer.set(bytes, GUARD_BYTES);
  const end = GUARD_BYTES + bytes.length;
  const frame: Frame = {
    bytes: buffer,
    start: GUARD_BYTES,
    length: bytes.length,
    capacity: bytes.length,
    offload: options.offload ?? 0,
  };
  const verdict = core.receive(frame, 0, noOutbox);
  const around = [...buffer.subarray(0, GUARD_BYTES), ...buffer.subarray(end)];
  assert.ok(around.every((byte) => byte === 0xa5), "wrote beside the frame");
  if (verdict !== "reply") {
    return { verdict, reply: new Uint8Array(0) };
  }
  assert.ok(frame.start >= GUARD_BYTES && frame.start + frame.length <= end);
  assert.ok(frame.length <= frame.capacity);
  return {
    verdict,
    reply: buffer.slice(frame.start, frame.start + frame.length),
  };
}

/** A header from the neighbour to us. */
export function ethernetToUs(
  etherType: number,
  tags: EthernetRepr["tags"] = [],
): EthernetRepr {
  return { destination: OWN.mac, source: NEIGHBOUR.mac, tags, etherType };
}

/** `drawn` as a whole datagram from the neighbour to us. */
export function ipv4ToUs(drawn: Ipv4Repr): Ipv4Repr {
  return {
    ...drawn,
    source: NEIGHBOUR.address,
    destination: OWN.address,
    moreFragments: false,
    fragmentOffset: 0,
  };
}

/** A plain header, of a whole datagram. */
export function plainHeader(
  protocol: number,
  source: number,
  destination: number,
): Ipv4Repr {
  return {
    source,
    destination,
    protocol,
    ttl: 64,
    dscp: 0,
    ecn: 0,
    identification: 1,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    options: new Uint8Array(0),
    payloadBytes: 0,
  };
}

/** The header that the answer to a datagram with `request` must have. */
export function ipv4Back(request: Ipv4Repr, payloadBytes: number): Ipv4Repr {
  return {
    ...request,
    source: request.destination,
    destination: request.source,
    ttl: 64,
    options: new Uint8Array(0),
    payloadBytes,
  };
}
