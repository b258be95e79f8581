/**
 * The receiving half of a tunnel's end. The argument that no frame is received
 * twice, and none from an earlier life of either end:
 *
 * - The receiver makes a random challenge of 16 bytes and offers it to whoever
 *   proves to have the key. A session's frames are sealed with a key made of
 *   the shared one, the session's number, and that challenge.
 * - A session is taken up when its first frame is opened under the challenge
 *   that is on offer. That uses the challenge up: the next offer has another.
 *   So for each challenge at most one session is ever received from.
 * - Within it the window refuses each sequence number after the first time.
 * - A frame that was recorded before was sealed under a challenge that is used
 *   up, or was forgotten when the receiver restarted: no session opens it.
 *
 * One that is on the way may delay or drop frames, replay what is refused, and
 * hold up a handshake; not more. Requests may be replayed: they change nothing.
 */

import type { Allowance } from "./allowance.ts";
import {
  type Bytes,
  CHALLENGE_BYTES,
  type Datagram,
  offerOf,
  sameBytes,
} from "./datagram.ts";
import { ReplayWindow } from "./replay_window.ts";
import { gcm, type Secret } from "./secret.ts";

/** A session that frames are, or may be, received from. */
interface Session {
  readonly session: Bytes;
  readonly challenge: Bytes;
  readonly key: Promise<CryptoKey>;
  readonly window: ReplayWindow;
}

/** Why a frame is not received. */
export type FrameRefusal = "bad-key" | "replayed" | "unproven";

/** A frame that is being opened. */
export interface Opening {
  readonly from: Session;
  readonly sequence: number;
  /** Bytes of the frame; undefined when they are not what the sender sealed. */
  readonly frame: Promise<Bytes | undefined>;
}

type FrameDatagram = Extract<Datagram, { kind: "frame" | "keepalive" }>;

/** What arrives at one end. */
export class TunnelReceiver {
  readonly #secret: Secret;
  readonly #attempts: Allowance;
  #challenge = newChallenge();
  #newest = false;
  #current: Session | undefined;
  /** Who may be taken up next: kept so that a burst costs one key. */
  #candidate: Session | undefined;

  /** Tries frames of sessions that it does not know as often as `attempts` allows. */
  constructor(secret: Secret, attempts: Allowance) {
    this.#secret = secret;
    this.#attempts = attempts;
  }

  /** Whether the frame that {@link commit} received last was sent after all others that it did. */
  get newest(): boolean {
    return this.#newest;
  }

  /** The session that frames are received from, if any. */
  isCurrent(session: Bytes): boolean {
    return this.#current !== undefined &&
      sameBytes(this.#current.session, session);
  }

  /** An offer to `session`, which proved to have the key. */
  async offer(session: Bytes): Promise<Bytes> {
    return await this.#secret.sign(offerOf(session, this.#challenge));
  }

  /** Begins to open a frame, or says why not: the cheap checks come first. */
  open(datagram: FrameDatagram): Opening | FrameRefusal {
    const { session, sequence, header, sealed } = datagram;
    if (this.isCurrent(session)) {
      const from = this.#current!;
      if (!from.window.isNew(sequence)) return "replayed";
      return { from, sequence, frame: unseal(from, sequence, header, sealed) };
    }
    if (!this.#attempts.take()) return "unproven";
    const from = this.#candidateOf(session);
    return { from, sequence, frame: unseal(from, sequence, header, sealed) };
  }

  #candidateOf(session: Bytes): Session {
    const challenge = this.#challenge;
    const known = this.#candidate;
    if (
      known?.challenge === challenge && sameBytes(known.session, session)
    ) return known;
    return this.#candidate = {
      session: session.slice(),
      challenge,
      key: this.#secret.frameKey(session, challenge),
      window: new ReplayWindow(),
    };
  }

  /**
   * Decides on a frame that was opened. To be called in the order of arrival,
   * with nothing in between: only here anything changes.
   */
  commit({ from, sequence }: Opening): "received" | FrameRefusal {
    if (from !== this.#current) {
      // Somebody else's first frame was quicker, and used the challenge up.
      if (from.challenge !== this.#challenge) return "replayed";
      this.#current = from;
      this.#candidate = undefined;
      this.#challenge = newChallenge();
    }
    this.#newest = sequence > from.window.highest;
    return from.window.accept(sequence) ? "received" : "replayed";
  }
}

async function unseal(
  { key }: Session,
  sequence: number,
  header: Bytes,
  sealed: Bytes,
): Promise<Bytes | undefined> {
  const parameters = gcm(sequence, header);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(parameters, await key, sealed),
    );
  } catch {
    return undefined; // it says no more than that
  }
}

function newChallenge(): Bytes {
  return crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES));
}
