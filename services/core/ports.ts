/** The ports of one service to others, and of others to it: opened by its core, connected by the system. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Port } from "../../caps/port/port.ts";
import { showValue } from "../fields/show_value.ts";
import {
  isPortInterface,
  PORT_NAME,
  PORT_NAME_EXPECTED,
  type PortInterface,
} from "../ports/interface.ts";
import { type Instant, NEVER } from "../runtime/clock.ts";
import { AnsweringEnd, type AnswerPort, type Answers } from "./answering.ts";
import { type AskHears, AskingEnd, type AskPort } from "./asking.ts";
import type { Outbox } from "./core.ts";
import type { PortEnd } from "./port_end.ts";

/** Which end of a port. */
export type PortSide = "ask" | "answer";

/** The most ports that a service asks at, and the most interfaces that it answers. */
export const PORTS_MAX = 16;

/**
 * What a core opens its ports with, while it is made. Which service is at the other
 * end, and whether any is, the manifest says.
 */
export interface Ports {
  /**
   * Opens the asking end of a port, under the name that the manifest knows it by.
   * @throws {Error} when there is one of this name, or the core is made already.
   */
  ask<Request, Answer, Push>(
    name: string,
    of: PortInterface<Request, Answer, Push>,
    hears?: AskHears<Push>,
  ): AskPort<Request, Answer>;
  /**
   * Answers what others ask.
   * @throws {Error} when this interface is answered already, or the core is made.
   */
  answer<Request, Answer, Push>(
    of: PortInterface<Request, Answer, Push>,
    answers: Answers<Request, Answer>,
  ): AnswerPort<Answer, Push>;
}

/** What a service said that it asks and answers. */
export interface OpenedPorts {
  /** The texts of interfaces, by the names of the ports that it asks at. */
  readonly asks: Readonly<Record<string, string>>;
  /** The texts of the interfaces that it answers, by their names. */
  readonly answers: Readonly<Record<string, string>>;
}

/** A new connection of a port, as the system orders it. */
export interface PortConnection {
  /** A number that no other connection of the system has had. */
  readonly id: number;
  /** Which end this is. */
  readonly side: PortSide;
  /** The port's name where it asks, the interface's where it answers. */
  readonly name: string;
  /** The service at the other end. */
  readonly peer: string;
}

/** What was counted at one end of ports. */
export interface PortCounts {
  /** Which end. */
  readonly side: PortSide;
  /** The port's name where it asks, the interface's where it answers. */
  readonly name: string;
  /** By what was counted: `asked`, `answered`, `timed-out`. */
  readonly counters: Counts;
}

interface Opened {
  /** Of the interface. */
  readonly text: string;
  readonly end: PortEnd;
}

/** The ports of one service, as its shell has them. */
export class ServicePorts {
  /** What the core opens them with. */
  readonly given: Ports;
  /** Called when something has arrived. */
  onReady: (() => void) | undefined;
  readonly #opened = {
    ask: new Map<string, Opened>(),
    answer: new Map<string, Opened>(),
  };
  /** Of both sides, in the order in which they were opened. */
  readonly #ends: PortEnd[] = [];
  #made = false;

  /** None yet. */
  constructor() {
    const onReady = () => this.onReady?.();
    this.given = Object.freeze<Ports>({
      ask: (name, of, hears = {}) => {
        this.#check("ask", name, of);
        const end = new AskingEnd({ of, hears, onReady });
        this.#open("ask", name, of.text, end);
        return end.given;
      },
      answer: (of, answers) => {
        this.#check("answer", of.name, of);
        const end = new AnsweringEnd({ of, answers, onReady });
        this.#open("answer", of.name, of.text, end);
        return end.given;
      },
    });
  }

  #open(side: PortSide, name: string, text: string, end: PortEnd): void {
    this.#opened[side].set(name, { text, end });
    this.#ends.push(end);
  }

  #check(side: PortSide, name: unknown, of: unknown): void {
    const opened = this.#opened[side];
    const wrong = this.#made
      ? "ports are opened while the service is made"
      : !isPortInterface(of)
      ? "expected an interface that portInterface() made"
      : typeof name !== "string" || !PORT_NAME.test(name)
      ? `expected ${PORT_NAME_EXPECTED}`
      : opened.has(name)
      ? "it is open already"
      : opened.size === PORTS_MAX
      ? `there are ${PORTS_MAX} already`
      : undefined;
    if (wrong === undefined) return;
    throw new Error(`ports.${side}: ${showValue(name)}: ${wrong}`);
  }

  /** The core is made: says what it has opened. */
  opened(): OpenedPorts {
    this.#made = true;
    const texts = (side: PortSide) =>
      Object.fromEntries(
        [...this.#opened[side]].map(([name, { text }]) => [name, text]),
      );
    return { asks: texts("ask"), answers: texts("answer") };
  }

  /** Connects an end. */
  connect(
    { id, side, name, peer }: PortConnection,
    port: Port<ArrayBuffer, unknown>,
  ): void {
    this.#opened[side].get(name)!.end.connect(id, port, peer);
  }

  /** Takes the other end of connection `id` away. */
  close(id: number, now: Instant, out: Outbox): void {
    for (const end of this.#ends) end.close(id, now, out);
  }

  /** Handles what has arrived. Returns how many messages that was. */
  serve(now: Instant, out: Outbox): number {
    let count = 0;
    for (const end of this.#ends) count += end.serve(now, out);
    return count;
  }

  /** When {@link expire} is to be called. */
  get nextUs(): Instant {
    let next = NEVER;
    for (const { nextUs } of this.#ends) next = Math.min(next, nextUs);
    return next;
  }

  /** Ends what has waited too long. */
  expire(now: Instant, out: Outbox): void {
    for (const end of this.#ends) end.expire(now, out);
  }

  /** Posts what was put together, at the end of a turn. */
  flush(now: Instant): void {
    for (const end of this.#ends) end.flush(now);
  }

  /** What was counted at each end that was opened. */
  counters(): readonly PortCounts[] {
    return (["ask", "answer"] as const).flatMap((side) =>
      [...this.#opened[side]].map(([name, { end }]) => ({
        side,
        name,
        counters: end.counters(),
      }))
    );
  }

  /** Closes all. */
  dispose(): void {
    for (const end of this.#ends) end.dispose();
  }
}

/** What a core that is made outside a system opens its ports with: nobody is ever there. */
export function unconnectedPorts(): Ports {
  return new ServicePorts().given;
}
