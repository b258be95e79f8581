/**
 * Runs a protocol core on a port: takes deliveries, lets the core rewrite
 * frames in place, and gives strings and pages back in one message a batch.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
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
import type { Instant } from "../runtime/clock.ts";
import type { Core, ServiceNews } from "./core.ts";
import { afterEvents } from "../runtime/event_turn.ts";
import { GuardedCore, type GuardedCoreOptions } from "./guarded_core.ts";
import { OutgoingString } from "./outgoing_string.ts";
import { requirePlainBuffer } from "./plain.ts";
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

/** How a core is run. */
export interface CoreRunnerOptions
  extends RunnerConnection, GuardedCoreOptions {
  /** True on a thread of its own, in real time: it may look for work a while before it sleeps. */
  readonly spins?: boolean;
}

/** A core at work. */
export class CoreRunner implements Disposable {
  readonly #core: GuardedCore;
  #port: Port<Submission | null, Delivery | null>;
  #trusted: TrustedFrames | undefined;
  readonly #record = new RecordFrame();
  /** Of the connection: frames that answer nothing. */
  #outgoing: OutgoingString;
  /** Whether it looks for work in the next turn of the event loop. */
  #again = false;
  readonly #spin: Spin | undefined;

  constructor(core: Core, options: CoreRunnerOptions) {
    this.#port = options.port;
    this.#outgoing = new OutgoingString(options);
    this.#core = new GuardedCore(core, this.#outgoing, options);
    this.#spin = options.spins ? new Spin() : undefined;
    const { ports } = options;
    if (ports !== undefined) {
      ports.onReady = () => this.#core.guard(() => this.#serve());
    }
    this.#listen(options);
  }

  /** Tells the core what became of a service that it watches. */
  tell(peer: ServiceNews): void {
    this.#core.tell(peer);
  }

  /** Takes the other end of a connection between services away. */
  closePort(id: number): void {
    this.#core.closePort(id);
  }

  /** Goes on at another port, with another capability: the core notices nothing but the gap. */
  reconnect(to: RunnerConnection): void {
    this.#port[Symbol.dispose]();
    this.#port = to.port;
    this.#outgoing = new OutgoingString(to, this.#outgoing.refused);
    this.#core.outgoing = this.#outgoing;
    this.#listen(to);
  }

  #listen({ port, trusted }: RunnerConnection): void {
    this.#trusted = trusted &&
      new TrustedFrames(trusted, () => port.post(DOORBELL));
    this.#port.onReady = () => this.#core.guard(() => this.#serve());
    this.#core.guard(() => this.#serve());
  }

  /** The counts of the core and of its runner. */
  counters(): Counts {
    return this.#core.counters();
  }

  /** Closes the port. */
  [Symbol.dispose](): void {
    this.#core[Symbol.dispose]();
    this.#port[Symbol.dispose]();
  }

  #serve(): void {
    const core = this.#core;
    const now = core.now();
    const heard = core.servePorts(now);
    for (let i = 0; i < DELIVERIES_PER_TURN; i++) {
      const delivery = this.#port.take();
      if (delivery === undefined) {
        const inRing = this.#trusted?.serve(now, core.verdictOn) ?? 0;
        if (inRing > 0) this.#core.received = true;
        core.finish(now);
        return this.#rest(heard + i + inRing > 0, now);
      }
      if (delivery !== DOORBELL) this.#handle(delivery, now);
    }
    core.finish(now);
    queueMicrotask(() => this.#core.guard(() => this.#serve()));
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
      this.#core.guard(() => this.#serve());
    });
  }

  #handle(delivery: Delivery, now: Instant): void {
    const { capabilities, records, count, pages } = delivery;
    if (count === 0) return this.#outgoing.keep(records);
    const walk = new RecordWalk(records, count);
    while (walk.next()) this.#receive(walk.view, walk.at, pages, now);
    this.#core.received = true;
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
    if (this.#core.verdictOn(record.frame, now) === "reply") {
      record.keep(view, at);
    } else view.setLength(at, 0);
  }
}
