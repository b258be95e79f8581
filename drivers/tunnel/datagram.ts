/**
 * The tunnel's datagrams, version 1. Numbers are big-endian.
 *
 * ```
 *   0        1      2           4            12
 *   ├ version ┼ kind ┼ 0, 0 ─────┼ session ───┤
 *
 *   request: … 12 ┼ MAC ─────────────────────┤ 44      sender → receiver
 *   offer:   … 12 ┼ challenge ┼ 28 MAC ──────┤ 60      receiver → sender
 *   frame:   … 12 ┼ sequence ─┼ 16 frame, encrypted … ┼ tag, 16 bytes ┤
 *   keepalive: … 12 ┼ sequence ─┼ 16 tag, 16 bytes ┤
 * ```
 *
 * Everything is authenticated: requests and offers by HMAC-SHA-256 over what
 * stands before it, frames by AES-256-GCM with the first 16 bytes as additional
 * data. drivers/tunnel/sender.ts and receiver.ts say what they mean.
 */

/** What a datagram's first byte says. */
const VERSION = 1;

/** What it is. */
export const KIND = { request: 1, offer: 2, frame: 3, keepalive: 4 } as const;

/** Bytes of a session's number, chosen by the sender. */
export const SESSION_BYTES = 8;
/** Bytes of a challenge, chosen by the receiver. */
export const CHALLENGE_BYTES = 16;
/** Bytes of an HMAC-SHA-256. */
export const HMAC_BYTES = 32;
/** Bytes of AES-GCM's tag. */
const GCM_TAG_BYTES = 16;
/** Bytes in front of what is encrypted, and authenticated with it. */
export const FRAME_HEADER_BYTES = 16;
/** What the tunnel adds to a frame. */
export const OVERHEAD_BYTES: number = FRAME_HEADER_BYTES + GCM_TAG_BYTES;

const SESSION_AT = 4;
const BODY_AT = SESSION_AT + SESSION_BYTES;
const REQUEST_BYTES = BODY_AT + HMAC_BYTES;
const OFFER_BYTES = BODY_AT + CHALLENGE_BYTES + HMAC_BYTES;

/** Bytes that go from thread to kernel: never shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** What a datagram says, before any of it is proven. */
export type Datagram =
  | { readonly kind: "request"; readonly session: Bytes }
  | {
    readonly kind: "offer";
    readonly session: Bytes;
    readonly challenge: Bytes;
  }
  | {
    /** A keepalive is sealed as a frame is, and has no bytes. */
    readonly kind: "frame" | "keepalive";
    readonly session: Bytes;
    readonly sequence: number;
    /** The header, and what is encrypted. */
    readonly header: Bytes;
    readonly sealed: Bytes;
  };

/** A request, without its MAC. */
export function requestOf(session: Bytes): Bytes {
  return begin(KIND.request, session, BODY_AT);
}

/** An offer, without its MAC. */
export function offerOf(session: Bytes, challenge: Bytes): Bytes {
  const datagram = begin(KIND.offer, session, BODY_AT + CHALLENGE_BYTES);
  datagram.set(challenge, BODY_AT);
  return datagram;
}

/** The header of the datagram of a frame, or of a keepalive. */
export function frameHeaderOf(
  kind: "frame" | "keepalive",
  session: Bytes,
  sequence: number,
): Bytes {
  const header = begin(KIND[kind], session, FRAME_HEADER_BYTES);
  new DataView(header.buffer).setUint32(BODY_AT, sequence);
  return header;
}

function begin(kind: number, session: Bytes, sizeBytes: number): Bytes {
  const datagram = new Uint8Array(sizeBytes);
  datagram[0] = VERSION;
  datagram[1] = kind;
  datagram.set(session, SESSION_AT);
  return datagram;
}

/** What `bytes` says; undefined when it is none of ours. Never throws. */
export function readDatagram(bytes: Bytes): Datagram | undefined {
  if (
    bytes.length < BODY_AT || bytes[0] !== VERSION || bytes[2] !== 0 ||
    bytes[3] !== 0
  ) return undefined;
  const session = bytes.subarray(SESSION_AT, BODY_AT);
  if (bytes[1] === KIND.request) {
    if (bytes.length !== REQUEST_BYTES) return undefined;
    return { kind: "request", session };
  }
  if (bytes[1] === KIND.offer) {
    if (bytes.length !== OFFER_BYTES) return undefined;
    const challenge = bytes.subarray(BODY_AT, BODY_AT + CHALLENGE_BYTES);
    return { kind: "offer", session, challenge };
  }
  const isFrame = bytes[1] === KIND.frame && bytes.length > OVERHEAD_BYTES;
  const isKeepalive = bytes[1] === KIND.keepalive &&
    bytes.length === OVERHEAD_BYTES;
  if (!isFrame && !isKeepalive) return undefined;
  return {
    kind: isFrame ? "frame" : "keepalive",
    session,
    sequence: new DataView(bytes.buffer, bytes.byteOffset).getUint32(BODY_AT),
    header: bytes.subarray(0, FRAME_HEADER_BYTES),
    sealed: bytes.subarray(FRAME_HEADER_BYTES),
  };
}

/** Whether two numbers of sessions, or two challenges, are the same one. Not for secrets. */
export function sameBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
