/**
 * The answering end of ports: one for all services that the manifest lets ask.
 * Each of them has its own channel, its own places, and its own count of what it
 * did wrong: none can keep another from being answered.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import { type Port, takeAll } from "../../caps/port/port.ts";
import { AskerChannel } from "../ports/asker_channel.ts";
import type { PortInterface } from "../ports/interface.ts";
import { STRIKES_MAX } from "../ports/limits.ts";
import { MessageWalk, RECORD } from "../ports/message.ts";
import { ANSWER_MS_MAX } from "../runtime/calls.ts";
import { type Instant, NEVER } from "../runtime/clock.ts";
import type { Outbox } from "./core.ts";
import type { PortEnd } from "./port_end.ts";

/** A request that is to be answered. */
export interface Incoming<Request> {
  /** What is asked. */
  readonly request: Request;
  /** The service that asks, by its name in the manifest. */
  readonly from: string;
  /** What {@link AnswerPort.answer} is given for it; no other request has it. */
  readonly id: number;
}

/** What a core does at the answering end of a port. */
export interface Answers<Request, Answer> {
  /**
   * Called for each request. Returns the answer; undefined when there is none to be
   * had; `"later"` when {@link AnswerPort.answer} will be called for it, which has 5
   * seconds.
   */
  onRequest(
    incoming: Incoming<Request>,
    now: Instant,
    out: Outbox,
  ): Answer | "later" | undefined;
  /** Called when a service may ask from now on, and when it has gone. A service that starts again is another one. */
  onAsker?(from: string, connected: boolean, now: Instant, out: Outbox): void;
}

/** The answering end of a port, as a core has it. */
export interface AnswerPort<Answer, Push> {
  /**
   * Answers a request that was to be answered later; undefined: there is no answer.
   * Returns false when nobody waits for it any more.
   * @throws {TypeError} when the answer is not of its kind.
   */
  answer(id: number, answer: Answer | undefined): boolean;
  /**
   * Tells all that may ask, or the one of this name, something unasked. One that has
   * 64 unread gets it not: with the next one it hears how many it has lost.
   * @throws {TypeError} when the push is not of its kind.
   */
  push(push: Push, to?: string): void;
}

interface Later {
  readonly asker: AskerChannel;
  readonly number: number;
  readonly untilUs: Instant;
}

/** The answering end of ports, as the shell has it. */
export class AnsweringEnd<Request, Answer, Push> implements PortEnd {
  /** What the core is given: closures alone, so that it reaches nothing else. */
  readonly given: AnswerPort<Answer, Push>;
  readonly #of: PortInterface<Request, Answer, Push>;
  readonly #answers: Answers<Request, Answer>;
  readonly #onReady: () => void;
  readonly #tally = new Tally();
  readonly #walk = new MessageWalk();
  readonly #askers = new Map<number, AskerChannel>();
  /** By the id that the core has of it, the oldest first. */
  readonly #later = new Map<number, Later>();
  #lastId = 0;

  /** Nobody may ask yet. */
  constructor(options: {
    readonly of: PortInterface<Request, Answer, Push>;
    readonly answers: Answers<Request, Answer>;
    readonly onReady: () => void;
  }) {
    this.#of = options.of;
    this.#answers = options.answers;
    this.#onReady = options.onReady;
    this.given = Object.freeze({
      answer: (id: number, answer: Answer | undefined) =>
        this.#answerLater(id, answer),
      push: (push: Push, to?: string) => this.#push(push, to),
    });
  }

  connect(id: number, port: Port<ArrayBuffer, unknown>, peer: string): void {
    this.#askers.set(id, new AskerChannel(peer, port));
    port.onReady = this.#onReady;
    this.#onReady();
  }

  close(id: number, now: Instant, out: Outbox): void {
    const asker = this.#askers.get(id);
    if (asker !== undefined) this.#end(id, asker, now, out);
  }

  #end(id: number, asker: AskerChannel, now: Instant, out: Outbox): void {
    asker.port[Symbol.dispose]();
    this.#askers.delete(id);
    for (const [id, later] of this.#later) {
      if (later.asker === asker) this.#later.delete(id);
    }
    if (asker.isNew) return;
    this.#answers.onAsker?.(asker.name, false, now, out);
  }

  serve(now: Instant, out: Outbox): number {
    let count = 0;
    for (const [id, asker] of this.#askers) {
      if (asker.isNew) {
        asker.isNew = false;
        this.#answers.onAsker?.(asker.name, true, now, out);
      }
      for (const message of takeAll(asker.port)) {
        this.#take(asker, message, now, out);
        count++;
        if (asker.strikes >= STRIKES_MAX) {
          this.#tally.add("cut-off");
          this.#end(id, asker, now, out);
          break;
        }
      }
      if (asker.port.overrun === true && this.#askers.has(id)) {
        this.#tally.add("flooded");
        this.#end(id, asker, now, out);
      }
    }
    return count;
  }

  #take(
    asker: AskerChannel,
    message: unknown,
    now: Instant,
    out: Outbox,
  ): void {
    const walk = this.#walk;
    if (!walk.begin(message)) return this.#strike(asker, "malformed");
    asker.unread.read(walk.word);
    while (asker.strikes < STRIKES_MAX && walk.next()) {
      this.#record(asker, walk, now, out);
    }
    if (asker.strikes < STRIKES_MAX && !walk.ended) {
      this.#strike(asker, "malformed");
    }
  }

  #record(
    asker: AskerChannel,
    walk: MessageWalk,
    now: Instant,
    out: Outbox,
  ): void {
    const { kind, number } = walk;
    if (kind !== RECORD.request) return this.#strike(asker, "malformed");
    if (!asker.hasPlace) return this.#strike(asker, "over");
    const request = walk.read(this.#of.request);
    if (!walk.body.whole) {
      this.#strike(asker, "malformed");
      return this.#reply(asker, number, undefined);
    }
    this.#tally.add("requests");
    const id = ++this.#lastId;
    const { name: from } = asker;
    // Before the core is asked: it may answer within.
    const untilUs = now + ANSWER_MS_MAX * 1000;
    this.#later.set(id, { asker, number, untilUs });
    asker.later++;
    const answer = this.#answers.onRequest({ request, from, id }, now, out);
    if (answer !== "later") this.#answerLater(id, answer);
  }

  #strike(asker: AskerChannel, what: "malformed" | "over"): void {
    this.#tally.add(what);
    asker.strikes++;
  }

  #answerLater(id: number, answer: Answer | undefined): boolean {
    const later = this.#later.get(id);
    if (later === undefined) return false;
    const { asker, number } = later;
    this.#reply(asker, number, answer);
    this.#later.delete(id);
    asker.later--;
    return true;
  }

  #reply(
    asker: AskerChannel,
    number: number,
    answer: Answer | undefined,
  ): void {
    asker.makeRoom();
    const { writer } = asker;
    if (answer === undefined) writer.addEmpty(RECORD.declined, number);
    else writer.add(RECORD.answer, number, this.#of.answer, answer);
    asker.answers++;
    this.#tally.add(answer === undefined ? "declined" : "answered");
  }

  #push(push: Push, to: string | undefined): void {
    for (const asker of this.#askers.values()) {
      if (to !== undefined && asker.name !== to) continue;
      if (!asker.takesPush) {
        asker.lost++;
        this.#tally.add("pushes-lost");
        continue;
      }
      asker.makeRoom();
      asker.writer.add(RECORD.push, asker.lost, this.#of.push, push);
      asker.lost = 0;
      asker.pushes++;
      this.#tally.add("pushes");
    }
  }

  get nextUs(): Instant {
    for (const { untilUs } of this.#later.values()) return untilUs;
    return NEVER;
  }

  expire(now: Instant): void {
    for (const [id, { untilUs }] of this.#later) {
      if (untilUs > now) return;
      this.#tally.add("unanswered");
      this.#answerLater(id, undefined);
    }
  }

  flush(): void {
    for (const asker of this.#askers.values()) asker.post();
  }

  counters(): Counts {
    return this.#tally.snapshot();
  }

  dispose(): void {
    for (const { port } of this.#askers.values()) port[Symbol.dispose]();
    this.#askers.clear();
    this.#later.clear();
  }
}
