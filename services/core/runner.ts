/**
 * Runs a protocol core on a port: takes deliveries, lets the core rewrite
 * frames in place, and gives strings and pages back in one message a batch.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import { CHECKSUM_COMPLETE } from "../../caps/port/offload.ts";
import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE,
  inlineStride,
  OWN_STRINGS_MAX,
  RECORD_BYTES,
  RecordView,
  roomInPage,
  STRING_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import { DOORBELL, type TrustedAccess } from "../../caps/port/trusted_ring.ts";
import { Spin } from "../../caps/port/spin.ts";
import type { Clock, Instant } from "../runtime/clock.ts";
import type { Core, Frame, Outbox, ServiceNews, Verdict } from "./core.ts";
import { afterEvents } from "../runtime/event_turn.ts";
import { TrustedFrames } from "./trusted_frames.ts";

/** Deliveries handled before others on this thread get their turn. */
const DELIVERIES_PER_TURN = 64;

/** What a runner's packets come through. */
export interface RunnerConnection {
  readonly port: Port<Submission | null, Delivery | null>;
  /** The capability that frames of the core's own are sent under. */
  readonly capability: bigint;
  /** For a service that is trusted with packet memory: then packets come by the rings. */
  readonly trusted?: TrustedAccess | undefined;
}

/** Kept here: what a core does to its own does not reach it. */
const PLAIN_BUFFER = ArrayBuffer.prototype;

/**
 * The runtime takes what is to be transferred for a buffer by its prototype
 * alone. A core that changes it has the runtime read the core's own properties
 * for those of a stream, which it would then post from (services/core/plain.ts).
 */
function requirePlain(buffer: ArrayBuffer): void {
  if (Object.getPrototypeOf(buffer) === PLAIN_BUFFER) return;
  throw new TypeError("the core changed what a buffer of its frames is");
}

/** A core at work. */
export class CoreRunner implements Disposable {
  readonly #core: Core;
  #port: Port<Submission | null, Delivery | null>;
  #trusted: TrustedFrames | undefined;
  readonly #clock: Clock;
  readonly #drops = new Tally();
  readonly #frame: Frame = {
    bytes: new Uint8Array(0),
    start: 0,
    length: 0,
    capacity: 0,
    mayBePartial: false,
  };
  /** The capability that frames of the core's own are sent under. */
  #capability: bigint;
  #spares: ArrayBuffer[] = [];
  /** The string that {@link #open} writes into; undefined when none is begun. */
  #outgoing: RecordView | undefined;
  /** Its buffer: a core could put another in place of the one that its bytes show. */
  #outgoingString = new ArrayBuffer(0);
  #outgoingAt = 0;
  #outgoingCount = 0;
  #outgoingFrame: Frame | undefined;
  /** The room in {@link #outgoingFrame}, which the core may write in. */
  #outgoingCapacity = 0;
  /**
   * All that the core sees of this. From the runner itself a third party's core
   * would get at the methods of its class, change them, and be handed ports.
   */
  readonly #outbox: Outbox = Object.freeze({
    open: (sizeBytes: number) => this.#open(sizeBytes),
    send: () => this.#send(),
  });
  #nextWake: Instant = Infinity;
  /** Whether it looks for work in the next turn of the event loop. */
  #again = false;
  readonly #spin: Spin | undefined;
  readonly #onFailure: (error: unknown) => void;
  #failed = false;

  constructor(
    core: Core,
    options: RunnerConnection & {
      readonly clock: Clock;
      /** True on a thread of its own, in real time: it may look for work a while before it sleeps. */
      readonly spins?: boolean;
      /** Told, once, when the core throws: it handles nothing after that. */
      readonly onFailure: (error: unknown) => void;
    },
  ) {
    this.#core = core;
    this.#port = options.port;
    this.#clock = options.clock;
    this.#capability = options.capability;
    this.#onFailure = options.onFailure;
    this.#spin = options.spins ? new Spin() : undefined;
    this.#listen(options);
  }

  /** Tells the core what became of a service that it watches. */
  tell(peer: ServiceNews): void {
    this.#guarded(() => {
      const now = this.#clock.now();
      this.#core.onNews?.(peer, now, this.#outbox);
      this.#finish(now);
    });
  }

  /** Goes on at another port, with another capability: the core notices nothing but the gap. */
  reconnect(to: RunnerConnection): void {
    this.#port[Symbol.dispose]();
    this.#port = to.port;
    this.#capability = to.capability;
    this.#outgoing = undefined;
    this.#outgoingFrame = undefined;
    this.#outgoingAt = 0;
    this.#outgoingCount = 0;
    this.#listen(to);
  }

  #listen({ port, trusted }: RunnerConnection): void {
    this.#trusted = trusted &&
      new TrustedFrames(trusted, () => port.post(DOORBELL));
    this.#spares = [];
    for (let i = 0; i < OWN_STRINGS_MAX; i++) {
      this.#spares.push(new ArrayBuffer(STRING_BYTES));
    }
    this.#port.onReady = () => this.#guarded(() => this.#serve());
    this.#guarded(() => this.#serve());
  }

  /** What the core and its runner counted. */
  counters(): Counts {
    return { ...this.#core.counters(), ...this.#drops.snapshot() };
  }

  /** A frame to write into, in a byte string that is sent at the end of this turn. */
  #open(sizeBytes: number): Frame | undefined {
    sizeBytes >>>= 0;
    const stride = inlineStride(sizeBytes);
    if (stride > STRING_BYTES) return undefined;
    if (this.#outgoingAt + stride > STRING_BYTES) {
      this.#sendOutgoing();
    }
    if (this.#outgoing === undefined) {
      const string = this.#spares.pop();
      if (string === undefined) return undefined;
      this.#outgoing = new RecordView(string);
      this.#outgoingString = string;
    }
    this.#outgoingFrame = {
      bytes: this.#outgoing.bytes,
      start: this.#outgoingAt + RECORD_BYTES,
      length: 0,
      capacity: sizeBytes,
      mayBePartial: false,
    };
    this.#outgoingCapacity = sizeBytes;
    return this.#outgoingFrame;
  }

  /** Puts the frame that was opened last among those that are sent. */
  #send(): void {
    const frame = this.#outgoingFrame;
    if (frame === undefined || this.#outgoing === undefined) {
      throw new Error("runner: send() without a frame that open() gave");
    }
    // Whatever the core put there, it is a number from here on, and read once.
    const length = frame.length >>> 0;
    if (length > this.#outgoingCapacity) {
      throw new Error("runner: the frame outgrew its room");
    }
    this.#outgoingFrame = undefined;
    this.#outgoingAt = this.#outgoing.putInline(this.#outgoingAt, length);
    this.#outgoingCount++;
  }

  /** Closes the port. */
  [Symbol.dispose](): void {
    this.#clock.wake(Infinity, () => {});
    this.#port[Symbol.dispose]();
  }

  /** Lets the core have one packet; counts it when it is dropped. */
  readonly #verdictOn = (frame: Frame, now: Instant): Verdict => {
    const verdict = this.#core.receive(frame, now, this.#outbox);
    if (verdict !== "reply" && verdict !== "handled") this.#drops.add(verdict);
    return verdict;
  };

  /** A core that throws is at an end: nobody knows what state it is in. */
  #guarded(step: () => void): void {
    if (this.#failed) return;
    try {
      step();
    } catch (error) {
      this.#failed = true;
      this.#onFailure(error);
    }
  }

  #serve(): void {
    const now = this.#clock.now();
    for (let i = 0; i < DELIVERIES_PER_TURN; i++) {
      const delivery = this.#port.take();
      if (delivery === undefined) {
        const inRing = this.#trusted?.serve(now, this.#verdictOn) ?? 0;
        this.#finish(now);
        return this.#rest(i + inRing > 0, now);
      }
      if (delivery !== DOORBELL) this.#handle(delivery, now);
    }
    this.#finish(now);
    queueMicrotask(() => this.#guarded(() => this.#serve()));
  }

  /** Nothing more is here: looks again after events had their turn, or sleeps until something comes. */
  #rest(worked: boolean, now: Instant): void {
    const spin = this.#spin;
    const nowMs = now / 1000;
    if (worked) spin?.found(nowMs);
    const shared = this.#trusted;
    // What came in a ring is not told again before somebody sleeps.
    const again = worked && shared !== undefined || spin?.again(nowMs) === true;
    if (!again && (shared?.sleep() ?? true) || this.#again) return;
    this.#again = true;
    afterEvents(() => {
      this.#again = false;
      this.#guarded(() => this.#serve());
    });
  }

  /** Ends a turn: runs timers that are due, sends what was put together, sets the next wake-up. */
  #finish(now: Instant): void {
    if (this.#core.wakeAt <= now) this.#core.wake(now, this.#outbox);
    this.#sendOutgoing();
    if (this.#core.wakeAt === this.#nextWake && this.#nextWake > now) return;
    this.#nextWake = this.#core.wakeAt;
    this.#clock.wake(this.#nextWake, () => {
      // The timer is spent, and is set anew if it went off too soon.
      this.#nextWake = Infinity;
      this.#guarded(() => this.#finish(this.#clock.now()));
    });
  }

  #handle(delivery: Delivery, now: Instant): void {
    const { capability, records, count, pages } = delivery;
    if (count === 0) {
      if (this.#spares.length < OWN_STRINGS_MAX) this.#spares.push(records);
      return;
    }
    const view = new RecordView(records);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const stride = view.stride(at);
      this.#receive(view, at, pages, now);
      at += stride;
    }
    requirePlain(records);
    for (let i = 0; i < pages.length; i++) requirePlain(pages[i]!);
    this.#port.post({ capability, records, count, pages }, [records, ...pages]);
  }

  /** Lets the core have one packet; its record then says what is to be sent of it. */
  #receive(
    view: RecordView,
    at: number,
    pages: ArrayBuffer[],
    now: Instant,
  ): void {
    const frame = this.#frame;
    const page = view.page(at);
    const inline = page === INLINE;
    const base = inline ? at : 0;
    const start = view.start(at);
    frame.bytes = inline ? view.bytes : new Uint8Array(pages[page]!);
    frame.start = base + start;
    frame.length = view.length(at);
    frame.capacity = inline
      ? view.stride(at) - start
      : roomInPage(pages[page]!, start);
    frame.mayBePartial = view.checksum(at) !== CHECKSUM_COMPLETE;
    if (this.#verdictOn(frame, now) === "reply") {
      view.setLength(at, frame.length);
      view.setStart(at, frame.start - base);
      return;
    }
    view.setLength(at, 0);
  }

  #sendOutgoing(): void {
    const view = this.#outgoing;
    if (view === undefined) return;
    if (this.#outgoingCount === 0) {
      this.#spares.push(this.#outgoingString);
    } else {
      const records = this.#outgoingString;
      const count = this.#outgoingCount;
      requirePlain(records);
      this.#port.post({
        capability: this.#capability,
        records,
        count,
        pages: [],
      }, [
        records,
      ]);
    }
    this.#outgoing = undefined;
    this.#outgoingAt = 0;
    this.#outgoingCount = 0;
  }
}
