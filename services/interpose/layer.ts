/**
 * A layer: one interposer on a port, which speaks to the holder as the driver
 * would, and to the driver as the holder would.
 *
 * ```
 *   driver ──deliveries──► deliver ──► (held) ──► holder
 *     ▲                                             │
 *     └── (held) ◄── submit ◄──────submissions──────┘
 * ```
 *
 * While everything passes, the driver's own messages go on as they are. When a
 * frame is dropped or held, the delivery is taken apart: its byte string goes
 * back to the driver at once, with the pages of what was dropped; the rest waits
 * for its time and goes out in a string of the layer's own. So a page is always
 * the driver's, the holder's, or here, and comes back once.
 */

import type { Port } from "../../caps/port/port.ts";
import { RecordWalk } from "../../caps/port/record_walk.ts";
import {
  type Delivery,
  INLINE,
  postRecords,
  RECORDS_MAX,
  type RecordView,
  type Submission,
} from "../../caps/port/records.ts";
import type { Clock, Instant } from "../runtime/clock.ts";
import { DeliveryBuilder } from "./delivery_builder.ts";
import { HeldFrames } from "./held_frames.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";
import { StringPool } from "./string_pool.ts";
import { CheckedFrame } from "./checked_frame.ts";
import { Sender } from "./sender.ts";

/** Messages taken from the driver at once. */
const TAKES_PER_TURN = 64;

/** Unanswered deliveries that a holder has at the most: as many as a driver has byte strings for it. */
const UNANSWERED_MAX = 8;

/** Strings of a layer's own that go round at the most, for deliveries. */
const LOOSE_MAX = 16;

/** "Passed", among times. */
const NOW: Instant = 0;

/** A port with something interposed. */
export interface InterposedPort extends Port<Submission, Delivery> {
  /**
   * Gives the driver back all that is held here, and what waits to be taken;
   * from now on nothing is held. For when the holder was terminated, or the port is
   * about to be closed.
   */
  giveBack(): void;
  /** Lets all that is held here go on at once; from now on nothing is held. */
  hurry(): void;
}

/** One interposer on a port. */
export class Layer implements InterposedPort {
  onReady: (() => void) | undefined;
  readonly #real: Port<Submission, Delivery>;
  readonly #interposer: Interposer;
  readonly #clock: Clock;
  readonly #held = new HeldFrames();
  readonly #strings = new StringPool();
  readonly #sender: Sender;
  readonly #shown = new CheckedFrame();
  /** By record of the delivery in hand: NOW, when it is due, or Infinity for dropped. */
  readonly #dues = new Float64Array(RECORDS_MAX);
  /** Deliveries that the holder has not answered. */
  #unanswered = 0;
  /** When the timer is set for. */
  #wakeAt: Instant = Infinity;
  #notified = false;

  /** Interposes `interposer` on `real`, whose messages are its own from now on. */
  constructor(
    real: Port<Submission, Delivery>,
    interposer: Interposer,
    clock: Clock,
  ) {
    this.#real = real;
    this.#interposer = interposer;
    this.#clock = clock;
    this.#sender = new Sender(real, interposer, this.#strings);
    real.onReady = () => this.onReady?.();
  }

  /** Whether the port behind it is. */
  get closed(): boolean {
    return this.#real.closed;
  }

  /** Takes what the holder sends. */
  post(message: Submission, transfer: Transferable[] = []): boolean {
    const now = this.#clock.now();
    if (this.#sender.inspect(message, now)) {
      if (this.#unanswered > 0) this.#unanswered--;
      if (this.#held.due <= now) this.#notify();
      this.#arm(now);
    }
    return this.#real.post(message, transfer);
  }

  /** The next delivery for the holder. */
  take(): Delivery | undefined {
    const now = this.#clock.now();
    for (let i = 0; i < TAKES_PER_TURN; i++) {
      const delivery = this.#real.take();
      if (delivery === undefined) {
        const released = this.#release(now);
        if (released === undefined) this.#interposer.rest?.();
        return released;
      }
      if (delivery.count === 0) {
        if (!this.#strings.keep(delivery.records)) return delivery;
      } else if (this.#passes(delivery, now)) {
        this.#unanswered++;
        return delivery;
      }
    }
    this.#notify(); // others on this thread get their turn first
    return this.#release(now);
  }

  hurry(): void {
    this.#sender.close();
    this.#sender.flush(Infinity);
    if (this.#real instanceof Layer) this.#real.hurry();
    this.#held.hurry();
    if (!this.#held.empty) this.#notify();
  }

  giveBack(): void {
    this.#sender.close();
    this.#sender.flush(Infinity);
    const builder = new DeliveryBuilder(this.#strings);
    while (!this.#held.empty) {
      const held = this.#held.first!;
      if (builder.addReturn(held)) this.#held.shift();
      else this.#return(builder.take());
    }
    this.#return(builder.take());
    for (let i = 0; i < TAKES_PER_TURN; i++) {
      const next = this.#real.take();
      if (next === undefined) break;
      if (next.count === 0) this.#strings.keep(next.records);
      else {
        new RecordWalk(next.records, next.count).emptyAll();
        this.#return(next);
      }
    }
    this.#interposer.rest?.();
    if (this.#real instanceof Layer) this.#real.giveBack();
  }

  /** Gives back what is held, and closes the port. */
  [Symbol.dispose](): void {
    if (!this.closed) this.giveBack();
    this.#clock.wake(Infinity, () => {});
    this.#real[Symbol.dispose]();
  }

  /** Asks after each frame of a delivery. False when it was taken apart. */
  #passes(delivery: Delivery, now: Instant): boolean {
    const { records, count, pages } = delivery;
    const walk = new RecordWalk(records, count);
    const { view } = walk;
    const shown = this.#shown;
    let whole = this.#held.empty;
    for (let i = 0; walk.next(); i++) {
      const { at } = walk;
      let due = NOW;
      if (shown.show(view, at, pages)) {
        due = dueOf(this.#interposer.deliver(shown.frame, now), now);
        if (due !== Infinity && !shown.keep(view, at)) {
          this.#interposer.tally.add("outgrown");
          due = Infinity;
        }
        if (this.#sender.closed && due !== Infinity) due = NOW;
      }
      this.#dues[i] = due;
      if (due !== NOW) whole = false;
    }
    if (whole) return true;
    this.#takeApart(delivery, now);
    return false;
  }

  #takeApart(delivery: Delivery, now: Instant): void {
    const { capabilities, records, count, pages } = delivery;
    const returned: ArrayBuffer[] = [];
    const walk = new RecordWalk(records, count);
    const { view } = walk;
    let back = 0;
    for (let i = 0; walk.next(); i++) {
      const { at, end } = walk;
      const frame = view.frame(at);
      const index = view.page(at);
      const page = index === INLINE ? undefined : pages[index];
      const capability = capabilities[view.capability(at)]!;
      const due = this.#dues[i]!;
      if (
        due === Infinity || !this.#hold(due, capability, view, at, end, page)
      ) {
        if (page !== undefined) {
          // Never beyond what was read: no record is shorter than this one.
          back = view.putPage(back, 0, frame, 0, returned.length, 0);
          returned.push(page);
        }
      }
    }
    this.#return({
      capabilities: [],
      records,
      count: returned.length,
      pages: returned,
    });
    this.#arm(now);
  }

  #hold(
    due: Instant,
    capability: bigint,
    view: RecordView,
    at: number,
    end: number,
    page: ArrayBuffer | undefined,
  ): boolean {
    const record = view.bytes.slice(at, end);
    if (this.#held.add({ due, capability, record, page })) return true;
    this.#interposer.tally.add("no-room");
    return false;
  }

  /** A delivery of what is due, if the holder may have one more. */
  #release(now: Instant): Delivery | undefined {
    const held = this.#held;
    if (
      held.due > now || this.#unanswered >= UNANSWERED_MAX ||
      this.#strings.out >= LOOSE_MAX
    ) {
      this.#arm(now);
      return undefined;
    }
    const builder = new DeliveryBuilder(this.#strings);
    while (held.due <= now && builder.add(held.first!)) held.shift();
    this.#unanswered++;
    return builder.take();
  }

  /** Posts what only gives back: a byte string, pages. */
  #return(submission: Submission | undefined): void {
    if (submission !== undefined) postRecords(this.#real, submission);
  }

  /** Sets the timer for what is due next. What is due already was told. */
  #arm(now: Instant): void {
    const due = this.#held.due > now ? this.#held.due : Infinity;
    const wakeAt = Math.min(due, this.#sender.due);
    if (wakeAt === this.#wakeAt) return;
    this.#wakeAt = wakeAt;
    this.#clock.wake(wakeAt, () => this.#wake());
  }

  #wake(): void {
    const now = this.#clock.now();
    this.#wakeAt = Infinity;
    this.#sender.flush(now);
    this.#arm(now);
    if (this.#held.due <= now) this.onReady?.();
  }

  /** Tells the holder, at the end of this turn, that there is something to take. */
  #notify(): void {
    if (this.#notified) return;
    this.#notified = true;
    queueMicrotask(() => {
      this.#notified = false;
      this.onReady?.();
    });
  }
}

function dueOf(verdict: InterposerVerdict, now: Instant): Instant {
  if (verdict === "pass") return NOW;
  if (verdict === "drop") return Infinity;
  return verdict > now ? verdict : NOW;
}
