/**
 * A core with its clock and its ports to other services, called until it throws:
 * what is the same however its packets come.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import { type Clock, type Instant, NEVER } from "../runtime/clock.ts";
import type { Core, Frame, Outbox, ServiceNews, Verdict } from "./core.ts";
import type { ServicePorts } from "./ports.ts";

/** Where the frames go that a core sends of its own accord. */
export interface Outgoing extends Outbox {
  /** Sends what was put together, at the end of a turn. */
  flush(): void;
  /** Whether there is room again after a refusal; says so once. */
  takeRoom(): boolean;
}

/** What a core is run with. */
export interface GuardedCoreOptions {
  readonly clock: Clock;
  /** Ports to other services that the core has opened. */
  readonly ports?: ServicePorts;
  /** Told, once, when the core throws: it handles nothing after that. */
  readonly onFailure: (error: unknown) => void;
}

/** A core that is called by one runner. */
export class GuardedCore implements Disposable {
  /**
   * All that the core sees of what runs it. From a runner itself a third party's core
   * would get at the methods of its class, change them, and be handed ports.
   */
  readonly outbox: Outbox;
  /** Of the connection that stands. */
  outgoing: Outgoing;
  /** Whether frames were handled in this turn. */
  received = false;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #ports: ServicePorts | undefined;
  readonly #drops = new Tally();
  readonly #onFailure: (error: unknown) => void;
  #nextWake: Instant = Infinity;
  #failed = false;

  /** Before `outgoing`; whoever runs it has it called when something has come at a port. */
  constructor(
    core: Core,
    outgoing: Outgoing,
    { clock, ports, onFailure }: GuardedCoreOptions,
  ) {
    this.#core = core;
    this.outgoing = outgoing;
    this.#clock = clock;
    this.#ports = ports;
    this.#onFailure = onFailure;
    this.outbox = Object.freeze({
      open: (sizeBytes: number) => this.outgoing.open(sizeBytes),
      send: () => this.outgoing.send(),
    });
  }

  /** Whether it has thrown, and is called no more. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The time. */
  now(): Instant {
    return this.#clock.now();
  }

  /** Lets the core have one packet; counts it when it is dropped. */
  readonly verdictOn = (frame: Frame, now: Instant): Verdict => {
    const verdict = this.#core.receive(frame, now, this.outbox);
    if (verdict !== "reply" && verdict !== "handled") this.#drops.add(verdict);
    return verdict;
  };

  /** Runs a step; a core that throws is called no more, since nobody knows what state it is in. */
  guard(step: () => void): void {
    if (this.#failed) return;
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Calls it no more, since it has thrown `error`. */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onFailure(error);
  }

  /** Handles what has come at its ports. Returns how many messages that was. */
  servePorts(now: Instant): number {
    return this.#ports?.serve(now, this.outbox) ?? 0;
  }

  /** Tells the core what became of a service that it watches. */
  tell(peer: ServiceNews): void {
    this.guard(() => {
      const now = this.#clock.now();
      this.#core.onNews?.(peer, now, this.outbox);
      this.finish(now);
    });
  }

  /** Takes the other end of a connection between services away. */
  closePort(id: number): void {
    this.guard(() => {
      const now = this.#clock.now();
      this.#ports?.close(id, now, this.outbox);
      this.finish(now);
    });
  }

  /** Ends a turn: tells the core what has come of it, runs timers that are due, sends what was put together, sets the next wake-up. */
  finish(now: Instant): void {
    if (this.received) {
      this.received = false;
      this.#core.endOfBatch?.(now, this.outbox);
    }
    if (this.outgoing.takeRoom()) this.#core.onRoom?.(now, this.outbox);
    const ports = this.#ports;
    if (ports !== undefined && ports.nextUs <= now) {
      ports.expire(now, this.outbox);
    }
    if (this.#core.wakeAt <= now) this.#core.wake(now, this.outbox);
    this.outgoing.flush();
    ports?.flush(now);
    const next = Math.min(this.#core.wakeAt, ports?.nextUs ?? NEVER);
    // A timer that goes off too soon costs less than setting one again with each
    // packet and each answer.
    if (next >= this.#nextWake && this.#nextWake > now) return;
    this.#nextWake = next;
    this.#clock.wake(this.#nextWake, () => {
      // The timer is spent, and is set again if it went off too soon.
      this.#nextWake = Infinity;
      this.guard(() => this.finish(this.#clock.now()));
    });
  }

  /** The counts of the core, and what it dropped. */
  counters(): Counts {
    return { ...this.#core.counters(), ...this.#drops.snapshot() };
  }

  /** Stops its timer, and closes its ports. */
  [Symbol.dispose](): void {
    this.#clock.wake(Infinity, () => {});
    this.#ports?.dispose();
  }
}
