/**
 * Runs a protocol core on a port: takes deliveries, lets the core rewrite
 * frames in place, and gives strings and pages back in one message a batch.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import type { Port } from "../../caps/port/port.ts";
import { RecordWalk } from "../../caps/port/record_walk.ts";
import {
  type Delivery,
  postRecords,
  type RecordView,
  type Submission,
} from "../../caps/port/records.ts";
import { DOORBELL, type TrustedAccess } from "../../caps/port/trusted_ring.ts";
import { Spin } from "../../caps/port/spin.ts";
import { type Clock, type Instant, NEVER } from "../runtime/clock.ts";
import type { Core, Frame, Outbox, ServiceNews, Verdict } from "./core.ts";
import { afterEvents } from "../runtime/event_turn.ts";
import { OutgoingString } from "./outgoing_string.ts";
import { requirePlainBuffer } from "./plain.ts";
import type { ServicePorts } from "./ports.ts";
import { RecordFrame } from "./record_frame.ts";
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

/** A core at work. */
export class CoreRunner implements Disposable {
  readonly #core: Core;
  #port: Port<Submission | null, Delivery | null>;
  #trusted: TrustedFrames | undefined;
  readonly #clock: Clock;
  readonly #ports: ServicePorts | undefined;
  readonly #drops = new Tally();
  readonly #record = new RecordFrame();
  /** Of the connection: frames that answer nothing. */
  #outgoing: OutgoingString;
  /**
   * All that the core sees of this. From the runner itself a third party's core
   * would get at the methods of its class, change them, and be handed ports.
   */
  readonly #outbox: Outbox = Object.freeze({
    open: (sizeBytes: number) => this.#outgoing.open(sizeBytes),
    send: () => this.#outgoing.send(),
  });
  #nextWake: Instant = Infinity;
  /** Whether frames were handled in this turn. */
  #received = false;
  /** Whether it looks for work in the next turn of the event loop. */
  #again = false;
  readonly #spin: Spin | undefined;
  readonly #onFailure: (error: unknown) => void;
  #failed = false;

  constructor(
    core: Core,
    options: RunnerConnection & {
      readonly clock: Clock;
      /** Ports to other services that the core has opened. */
      readonly ports?: ServicePorts;
      /** True on a thread of its own, in real time: it may look for work a while before it sleeps. */
      readonly spins?: boolean;
      /** Told, once, when the core throws: it handles nothing after that. */
      readonly onFailure: (error: unknown) => void;
    },
  ) {
    this.#core = core;
    this.#port = options.port;
    this.#clock = options.clock;
    this.#outgoing = new OutgoingString(options);
    this.#onFailure = options.onFailure;
    this.#spin = options.spins ? new Spin() : undefined;
    this.#ports = options.ports;
    if (this.#ports !== undefined) {
      this.#ports.onReady = () => this.#guarded(() => this.#serve());
    }
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

  /** Takes the other end of a connection between services away. */
  closePort(id: number): void {
    this.#guarded(() => {
      const now = this.#clock.now();
      this.#ports?.close(id, now, this.#outbox);
      this.#finish(now);
    });
  }

  /** Goes on at another port, with another capability: the core notices nothing but the gap. */
  reconnect(to: RunnerConnection): void {
    this.#port[Symbol.dispose]();
    this.#port = to.port;
    this.#outgoing = new OutgoingString(to, this.#outgoing.refused);
    this.#listen(to);
  }

  #listen({ port, trusted }: RunnerConnection): void {
    this.#trusted = trusted &&
      new TrustedFrames(trusted, () => port.post(DOORBELL));
    this.#port.onReady = () => this.#guarded(() => this.#serve());
    this.#guarded(() => this.#serve());
  }

  /** The counts of the core and of its runner. */
  counters(): Counts {
    return { ...this.#core.counters(), ...this.#drops.snapshot() };
  }

  /** Closes the port. */
  [Symbol.dispose](): void {
    this.#clock.wake(Infinity, () => {});
    this.#ports?.dispose();
    this.#port[Symbol.dispose]();
  }

  /** Lets the core have one packet; counts it when it is dropped. */
  readonly #verdictOn = (frame: Frame, now: Instant): Verdict => {
    const verdict = this.#core.receive(frame, now, this.#outbox);
    if (verdict !== "reply" && verdict !== "handled") this.#drops.add(verdict);
    return verdict;
  };

  /** Runs a step; a core that throws is called no more, since nobody knows what state it is in. */
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
    const heard = this.#ports?.serve(now, this.#outbox) ?? 0;
    for (let i = 0; i < DELIVERIES_PER_TURN; i++) {
      const delivery = this.#port.take();
      if (delivery === undefined) {
        const inRing = this.#trusted?.serve(now, this.#verdictOn) ?? 0;
        if (inRing > 0) this.#received = true;
        this.#finish(now);
        return this.#rest(heard + i + inRing > 0, now);
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
    const trusted = this.#trusted;
    // What came in a ring is not told again before somebody sleeps.
    const again = worked && trusted !== undefined ||
      spin?.again(nowMs) === true;
    if (!again && (trusted?.sleep() ?? true) || this.#again) return;
    this.#again = true;
    afterEvents(() => {
      this.#again = false;
      this.#guarded(() => this.#serve());
    });
  }

  /** Ends a turn: tells the core what has come of it, runs timers that are due, sends what was put together, sets the next wake-up. */
  #finish(now: Instant): void {
    if (this.#received) {
      this.#received = false;
      this.#core.endOfBatch?.(now, this.#outbox);
    }
    if (this.#outgoing.takeRoom()) this.#core.onRoom?.(now, this.#outbox);
    const ports = this.#ports;
    if (ports !== undefined && ports.nextUs <= now) {
      ports.expire(now, this.#outbox);
    }
    if (this.#core.wakeAt <= now) this.#core.wake(now, this.#outbox);
    this.#outgoing.flush();
    ports?.flush(now);
    const next = Math.min(this.#core.wakeAt, ports?.nextUs ?? NEVER);
    // A timer that goes off too soon costs less than setting one again with each
    // packet and each answer.
    if (next >= this.#nextWake && this.#nextWake > now) return;
    this.#nextWake = next;
    this.#clock.wake(this.#nextWake, () => {
      // The timer is spent, and is set again if it went off too soon.
      this.#nextWake = Infinity;
      this.#guarded(() => this.#finish(this.#clock.now()));
    });
  }

  #handle(delivery: Delivery, now: Instant): void {
    const { capabilities, records, count, pages } = delivery;
    if (count === 0) return this.#outgoing.keep(records);
    const walk = new RecordWalk(records, count);
    while (walk.next()) this.#receive(walk.view, walk.at, pages, now);
    this.#received = true;
    requirePlainBuffer(records);
    for (let i = 0; i < pages.length; i++) requirePlainBuffer(pages[i]!);
    postRecords(this.#port, { capabilities, records, count, pages });
  }

  /** Lets the core have one packet; its record then says what is to be sent of it. */
  #receive(
    view: RecordView,
    at: number,
    pages: ArrayBuffer[],
    now: Instant,
  ): void {
    const record = this.#record;
    record.show(view, at, pages);
    if (this.#verdictOn(record.frame, now) === "reply") record.keep(view, at);
    else view.setLength(at, 0);
  }
}
