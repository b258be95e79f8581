/** Runs a core on a wire, as the host at its other end. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Core, Frame, Outbox } from "../core/core.ts";

/** One end of a wire, as a host needs it: bounded queues both ways, everything by copying. */
export interface FrameLink extends Disposable {
  /** The largest frame that it carries, in bytes. */
  readonly frameBytesMax: number;
  /** Sends `bytes[start .. start + length)`; false, counted there, when it could not. */
  send(bytes: Uint8Array, start: number, length: number): boolean;
  /** Sends on what was held back to be sent together. */
  flush(): void;
  /** Bytes of the next frame that has arrived; 0 when there is none. */
  peek(): number;
  /** Copies the next frame into `into` at `start`. Returns its bytes. */
  receive(into: Uint8Array | undefined, start: number): number;
  /** Has `notify` called whenever something arrives. */
  onArrival(notify: () => void): void;
}

/** Frames handled before others on this thread get their turn. */
const FRAMES_PER_TURN = 256;

/** A core at the end of a wire. */
export class LinkRunner implements Outbox, Disposable {
  readonly #core: Core;
  readonly #link: FrameLink;
  readonly #clock: Clock;
  readonly #incoming: Frame;
  readonly #outgoing: Frame;

  /** Runs `core` on `link`, which is its own from now on. */
  constructor(core: Core, link: FrameLink, clock: Clock) {
    this.#core = core;
    this.#link = link;
    this.#clock = clock;
    this.#incoming = frameOf(link.frameBytesMax);
    this.#outgoing = frameOf(link.frameBytesMax);
    link.onArrival(() => this.#turn());
    this.#turn();
  }

  /** What the core counted. */
  counters(): Counts {
    return this.#core.counters();
  }

  /** A frame to write into; the next call takes it back. */
  open(sizeBytes: number): Frame | undefined {
    if (sizeBytes > this.#link.frameBytesMax) return undefined;
    this.#outgoing.start = 0;
    this.#outgoing.length = 0;
    return this.#outgoing;
  }

  /** Sends the frame that was opened last. */
  send(): void {
    const { bytes, start, length } = this.#outgoing;
    this.#link.send(bytes, start, length);
  }

  /** Takes the link down. */
  [Symbol.dispose](): void {
    this.#clock.wake(Infinity, () => {});
    this.#link[Symbol.dispose]();
  }

  #turn(): void {
    const now = this.#clock.now();
    for (let i = 0; i < FRAMES_PER_TURN && this.#link.peek() > 0; i++) {
      const frame = this.#incoming;
      frame.start = 0;
      frame.length = this.#link.receive(frame.bytes, 0);
      frame.offload = 0;
      const verdict = this.#core.receive(frame, now, this);
      if (verdict === "reply") {
        this.#link.send(frame.bytes, frame.start, frame.length);
      }
    }
    if (this.#core.wakeAt <= now) this.#core.wake(now, this);
    this.#link.flush();
    const again = this.#link.peek() > 0 ? now : this.#core.wakeAt;
    this.#clock.wake(again, () => this.#turn());
  }
}

function frameOf(capacity: number): Frame {
  return {
    bytes: new Uint8Array(capacity),
    start: 0,
    length: 0,
    capacity,
    offload: 0,
  };
}
