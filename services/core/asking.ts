/**
 * The asking end of a port to another service.
 *
 * ```
 *                connected                  closed, or cut off
 *   unavailable ───────────► available ───────────────────────► unavailable
 *                                          (all that was asked gets no answer)
 * ```
 *
 * The other end is believed nothing: what it sends beyond what was asked is
 * counted, and after {@link STRIKES_MAX} of that the port is closed.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import { type Port, takeAll } from "../../caps/port/port.ts";
import type { PortInterface } from "../ports/interface.ts";
import { PUSHES_MAX, REQUESTS_MAX, STRIKES_MAX } from "../ports/limits.ts";
import { MessageWalk, MessageWriter, RECORD } from "../ports/message.ts";
import { ANSWER_MS_MAX } from "../runtime/calls.ts";
import { type Instant, NEVER } from "../runtime/clock.ts";
import type { Outbox } from "./core.ts";
import type { PortEnd } from "./port_end.ts";

/** Pushes after which it is shown that they were read, where nothing is asked meanwhile. */
const SHOWN_EVERY = PUSHES_MAX / 2;

/** Called with the answer; with undefined when there is none: declined, late, or the other service has failed. */
export type OnAnswer<Answer> = (
  answer: Answer | undefined,
  now: Instant,
  out: Outbox,
) => void;

/** What a core hears at the asking end of a port, besides answers. */
export interface AskHears<Push> {
  /** Called for what the other service tells unasked; `lost` such before it found no room. */
  onPush?(push: Push, lost: number, now: Instant, out: Outbox): void;
  /** Called when the port becomes available, and when it is no more. What was learnt from pushes may be out of date. */
  onAvailable?(available: boolean, now: Instant, out: Outbox): void;
}

/** The asking end of a port, as a core has it. */
export interface AskPort<Request, Answer> {
  /** Whether there is a service at the other end. */
  readonly available: boolean;
  /**
   * Asks; the request leaves at the end of the turn. `onAnswer` is called once, after
   * 5 seconds at the latest.
   * @returns false when it is not asked: nobody is there, or 64 requests have no answer.
   * @throws {TypeError} when the request is not of its kind.
   */
  ask(request: Request, onAnswer: OnAnswer<Answer>): boolean;
}

interface Waiting<Answer> {
  readonly onAnswer: OnAnswer<Answer>;
  /** {@link NEVER} until the request has left. */
  untilUs: Instant;
}

/** The asking end of a port, as the shell has it. */
export class AskingEnd<Request, Answer, Push> implements PortEnd {
  /** What the core is given: closures alone, so that it reaches nothing else. */
  readonly given: AskPort<Request, Answer>;
  readonly #of: PortInterface<Request, Answer, Push>;
  readonly #hears: AskHears<Push>;
  readonly #onReady: () => void;
  readonly #tally = new Tally();
  readonly #writer = new MessageWriter();
  readonly #walk = new MessageWalk();
  /** By number, the oldest first: each waits as long as the others. */
  readonly #waiting = new Map<number, Waiting<Answer>>();
  /** Requests of this turn: their time begins at its end. */
  readonly #leaving: Waiting<Answer>[] = [];
  /** Requests that nobody waits for any more, and that have no answer: they take their places until they do. */
  readonly #late = new Set<number>();
  #port: Port<ArrayBuffer, unknown> | undefined;
  #id = 0;
  #last = 0;
  /** Token of the last message that was read. */
  #read = 0;
  /** Pushes that were read, and not shown to be. */
  #unshown = 0;
  #strikes = 0;
  /** Whether the core was not told yet that there is another service. */
  #isNew = false;

  /** Not connected yet. */
  constructor(options: {
    readonly of: PortInterface<Request, Answer, Push>;
    readonly hears: AskHears<Push>;
    readonly onReady: () => void;
  }) {
    this.#of = options.of;
    this.#hears = options.hears;
    this.#onReady = options.onReady;
    const isAvailable = () => this.#port !== undefined;
    this.given = Object.freeze({
      get available() {
        return isAvailable();
      },
      ask: (request: Request, onAnswer: OnAnswer<Answer>) =>
        this.#ask(request, onAnswer),
    });
  }

  connect(id: number, port: Port<ArrayBuffer, unknown>): void {
    if (this.#port !== undefined) {
      throw new Error("asking: connected while another connection stands");
    }
    this.#id = id;
    this.#port = port;
    this.#read = 0;
    this.#unshown = 0;
    this.#strikes = 0;
    this.#isNew = true;
    port.onReady = this.#onReady;
    this.#onReady();
  }

  #ask(request: Request, onAnswer: OnAnswer<Answer>): boolean {
    if (this.#port === undefined) return this.#refuse("unavailable");
    if (this.#waiting.size + this.#late.size >= REQUESTS_MAX) {
      return this.#refuse("full");
    }
    if (!this.#writer.hasRoom) this.#post();
    const number = this.#nextNumber();
    this.#writer.add(RECORD.request, number, this.#of.request, request);
    const waiting = { onAnswer, untilUs: NEVER };
    this.#waiting.set(number, waiting);
    this.#leaving.push(waiting);
    this.#tally.add("asked");
    return true;
  }

  #refuse(why: "unavailable" | "full"): false {
    this.#tally.add(why);
    return false;
  }

  /** A number that no request has which may still be answered. */
  #nextNumber(): number {
    do this.#last = (this.#last + 1) >>> 0; while (
      this.#waiting.has(this.#last) || this.#late.has(this.#last)
    );
    return this.#last;
  }

  close(id: number, now: Instant, out: Outbox): void {
    if (this.#port !== undefined && this.#id === id) this.#end(now, out);
  }

  /** Nobody is there any more: all that was asked gets no answer. */
  #end(now: Instant, out: Outbox): void {
    this.#port![Symbol.dispose]();
    this.#port = undefined;
    if (!this.#writer.empty) this.#writer.take(0);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#late.clear();
    if (waiting.length > 0) this.#tally.add("lost", waiting.length);
    for (const { onAnswer } of waiting) onAnswer(undefined, now, out);
    if (!this.#isNew) this.#hears.onAvailable?.(false, now, out);
    this.#isNew = false;
  }

  serve(now: Instant, out: Outbox): number {
    const port = this.#port;
    if (port === undefined) return 0;
    if (this.#isNew) {
      this.#isNew = false;
      this.#hears.onAvailable?.(true, now, out);
    }
    let count = 0;
    for (const message of takeAll(port)) {
      this.#take(message, now, out);
      count++;
      if (this.#port !== port) return count;
    }
    if (port.overrun === true) {
      this.#tally.add("flooded");
      this.#end(now, out);
    }
    return count;
  }

  #take(message: unknown, now: Instant, out: Outbox): void {
    const walk = this.#walk;
    if (!walk.begin(message)) return this.#strike("malformed", now, out);
    this.#read = walk.word;
    const port = this.#port;
    while (this.#port === port && walk.next()) this.#record(walk, now, out);
    if (this.#port === port && !walk.ended) {
      this.#strike("malformed", now, out);
    }
  }

  #record(walk: MessageWalk, now: Instant, out: Outbox): void {
    const { kind, number } = walk;
    if (kind === RECORD.push) {
      if (++this.#unshown > PUSHES_MAX) return this.#strike("over", now, out);
      const push = walk.read(this.#of.push);
      if (!walk.body.whole) return this.#strike("malformed", now, out);
      this.#tally.add("pushes");
      if (number > 0) this.#tally.add("pushes-lost", number);
      return this.#hears.onPush?.(push, number, now, out);
    }
    if (kind !== RECORD.answer && kind !== RECORD.declined) {
      return this.#strike("malformed", now, out);
    }
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) {
      if (this.#late.delete(number)) return this.#tally.add("late");
      return this.#strike("unasked", now, out);
    }
    this.#waiting.delete(number);
    if (kind === RECORD.declined) {
      this.#tally.add("declined");
      return waiting.onAnswer(undefined, now, out);
    }
    const answer = walk.read(this.#of.answer);
    const { whole } = walk.body;
    if (whole) this.#tally.add("answered");
    const port = this.#port;
    waiting.onAnswer(whole ? answer : undefined, now, out);
    if (!whole && this.#port === port) this.#strike("malformed", now, out);
  }

  /** Counts what no honest end sends, and closes the port of one that goes on with it. */
  #strike(
    what: "malformed" | "unasked" | "over",
    now: Instant,
    out: Outbox,
  ): void {
    this.#tally.add(what);
    if (++this.#strikes < STRIKES_MAX) return;
    this.#tally.add("cut-off");
    this.#end(now, out);
  }

  get nextUs(): Instant {
    for (const { untilUs } of this.#waiting.values()) return untilUs;
    return NEVER;
  }

  expire(now: Instant, out: Outbox): void {
    for (const [number, { onAnswer, untilUs }] of this.#waiting) {
      if (untilUs > now) return;
      this.#waiting.delete(number);
      this.#late.add(number);
      this.#tally.add("timed-out");
      onAnswer(undefined, now, out);
    }
  }

  flush(now: Instant): void {
    for (const one of this.#leaving) one.untilUs = now + ANSWER_MS_MAX * 1000;
    this.#leaving.length = 0;
    if (!this.#writer.empty || this.#unshown >= SHOWN_EVERY) this.#post();
  }

  #post(): void {
    this.#unshown = 0;
    this.#port?.post(this.#writer.take(this.#read));
  }

  counters(): Counts {
    return this.#tally.snapshot();
  }

  dispose(): void {
    this.#port?.[Symbol.dispose]();
    this.#port = undefined;
  }
}
