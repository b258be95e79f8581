/**
 * The sending half of a tunnel's end. It asks for a challenge under a session
 * number that is new in every request, and takes one offer for it: an
 * offer that was recorded names another session. The key is made of both, so it
 * is never the same twice, and sequence numbers count from 0 under each key.
 */

import {
  type Bytes,
  FRAME_HEADER_BYTES,
  frameHeaderOf,
  OVERHEAD_BYTES,
  requestOf,
  sameBytes,
  SESSION_BYTES,
} from "./datagram.ts";
import { gcm, type Secret } from "./secret.ts";

/** Frames under one key: below what RFC 8446, section 5.5, allows AES-GCM. */
const REKEY_FRAMES: number = 2 ** 24;
/** Frames after which nothing more goes out under a key, were no other to be had. */
const FRAMES_MAX: number = 2 ** 26;

interface Session {
  readonly session: Bytes;
  readonly challenge: Bytes;
  readonly key: CryptoKey;
  sequence: number;
}

/** What an offer comes to. */
export type OfferOutcome =
  /** A new session, to send under. */
  | "established"
  /** The receiver does not know ours: another request is due. */
  | "forgotten"
  /** An offer for no request that is under way. */
  | "stale";

/** What leaves one end. */
export class TunnelSender {
  readonly #secret: Secret;
  readonly #rekeyFrames: number;
  #requested: Bytes | undefined;
  #current: Session | undefined;
  /** The session before: its frames may come back after the next one began. */
  #previous: Bytes | undefined;

  /** Wants a new session after `rekeyFrames`. */
  constructor(secret: Secret, rekeyFrames: number = REKEY_FRAMES) {
    this.#secret = secret;
    this.#rekeyFrames = rekeyFrames;
  }

  /** Whether frames can be sealed. */
  get ready(): boolean {
    return this.#current !== undefined && this.#current.sequence < FRAMES_MAX;
  }

  /** Whether a session is to be asked for, or is being. */
  get wants(): boolean {
    return this.#requested !== undefined || this.#current === undefined ||
      this.#current.sequence >= this.#rekeyFrames;
  }

  /** Whether `session` is a number of our own: what was sent under it came back to us. */
  isOurs(session: Bytes): boolean {
    return [this.#requested, this.#current?.session, this.#previous].some(
      (own) => own !== undefined && sameBytes(own, session),
    );
  }

  /** Begins to want another session; frames go out under the present one meanwhile. */
  begin(): Bytes {
    this.#requested ??= crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
    return this.#requested;
  }

  /** The request that is under way, or a new one. */
  async request(): Promise<Bytes> {
    return await this.#secret.sign(requestOf(this.begin()));
  }

  /** Takes an offer whose MAC is right. */
  async take(session: Bytes, challenge: Bytes): Promise<OfferOutcome> {
    const requested = this.#requested;
    if (requested === undefined || !sameBytes(requested, session)) {
      const current = this.#current;
      const forgotten = current !== undefined &&
        sameBytes(current.session, session) &&
        !sameBytes(current.challenge, challenge);
      return forgotten ? "forgotten" : "stale";
    }
    const key = await this.#secret.frameKey(session, challenge);
    // Of two offers that are taken at once one makes the session. Until then the
    // request stands: its timer must not begin another session under the same
    // challenge, whose frames the receiver could not open any more.
    if (this.#requested !== requested) return "stale";
    this.#requested = undefined;
    this.#previous = this.#current?.session;
    this.#current = {
      session: session.slice(),
      challenge: challenge.slice(),
      key,
      sequence: 0,
    };
    return "established";
  }

  /** A frame as a datagram. The caller saw that it is {@link ready}. */
  seal(frame: Bytes): Promise<Bytes> {
    return this.#seal("frame", frame);
  }

  /** A datagram that says no more than that this end is there. The caller saw that it is {@link ready}. */
  sealKeepalive(): Promise<Bytes> {
    return this.#seal("keepalive", new Uint8Array(0));
  }

  #seal(kind: "frame" | "keepalive", frame: Bytes): Promise<Bytes> {
    const current = this.#current!;
    const sequence = current.sequence++;
    if (sequence >= FRAMES_MAX) throw new Error("udp: a session of its length");
    return seal(kind, frame, current, sequence);
  }
}

async function seal(
  kind: "frame" | "keepalive",
  frame: Bytes,
  { key, session }: Session,
  sequence: number,
): Promise<Bytes> {
  const header = frameHeaderOf(kind, session, sequence);
  const sealed = await crypto.subtle.encrypt(
    gcm(sequence, header),
    key,
    frame,
  );
  const datagram = new Uint8Array(frame.length + OVERHEAD_BYTES);
  datagram.set(header);
  datagram.set(new Uint8Array(sealed), FRAME_HEADER_BYTES);
  return datagram;
}
