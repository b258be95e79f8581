/** One holder's requests: queued, answered one after the other, and counted where they are an offence. */

import { type Counts, Tally } from "../../../caps/driver/accounts.ts";
import { type Port, takeAll } from "../../../caps/port/port.ts";
import type { FilterReply, FilterRequest } from "./messages.ts";
import { isRequest } from "./request.ts";

/** Requests of one holder that wait; more are refused unread. */
const REQUESTS_WAITING_MAX = 64;

/**
 * Requests after which a holder is cut off, of those that none has a reason to
 * make: nonsense, too many at once, void tags. To be told that others have it
 * already, or that there are no pages left, is no offence, however often.
 */
const STRIKES_MAX = 4096;

/** How long the presenter of void tags waits for its answer, at the most. */
const PENALTY_MS_MAX = 100;

/** Whose requests, and who answers them. */
export interface RequestsOptions {
  readonly port: Port<FilterReply, unknown>;
  /** Finds the reply to one request. */
  readonly answer: (request: FilterRequest) => Promise<FilterReply>;
  /** Called when a reply is on its way: work that nobody waits for can begin. */
  readonly onAnswered: () => void;
  /** Called once, after the last strike that a holder has. */
  readonly onStruckOut: () => void;
  /** Resolves after `delayMs`. */
  readonly delay: (delayMs: number) => Promise<void>;
}

/** The requests of one holder. Other holders' are not held up by them. */
export class Requests implements Disposable {
  readonly #options: RequestsOptions;
  readonly #refused = new Tally();
  readonly #waiting: unknown[] = [];
  #serving = false;
  #strikes = 0;
  /** Void tags that were presented. */
  #voids = 0;

  /** Answers nothing before {@link take}. */
  constructor(options: RequestsOptions) {
    this.#options = options;
    options.port.onReady = () => this.take();
  }

  /** What was refused so far, by reason. */
  get refusals(): Counts {
    return this.#refused.snapshot();
  }

  /** Takes what has arrived, and begins to answer it. */
  take(): void {
    for (const request of takeAll(this.#options.port)) {
      if (this.#waiting.length >= REQUESTS_WAITING_MAX) this.#strike("flood");
      else this.#waiting.push(request);
    }
    if (!this.#serving) void this.#serve();
  }

  /** Closes the port. */
  [Symbol.dispose](): void {
    this.#options.port[Symbol.dispose]();
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    for (
      let request = this.#waiting.shift();
      request !== undefined;
      request = this.#waiting.shift()
    ) {
      if (isRequest(request)) await this.#reply(request);
      else this.#strike("malformed");
    }
    this.#serving = false;
  }

  async #reply(request: FilterRequest): Promise<void> {
    const { answer, delay, port, onAnswered } = this.#options;
    const reply = await answer(request);
    if ("refused" in reply && reply.refused === "void") {
      this.#strike("void");
      await delay(Math.min(++this.#voids, PENALTY_MS_MAX));
    } else if ("refused" in reply) this.#refused.add(reply.refused);
    port.post(reply);
    onAnswered();
  }

  #strike(reason: string): void {
    this.#refused.add(reason);
    if (++this.#strikes === STRIKES_MAX) this.#options.onStruckOut();
  }
}
