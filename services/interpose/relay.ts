/**
 * Interposes for a holder in another worker: the layers live here, and the
 * holder gets the end of a channel of their own.
 */

import { isBufferOf } from "../../caps/buffers.ts";
import { PAGE_BYTES } from "../../caps/memory.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
  type TakeNow,
} from "../../caps/port.ts";
import type { Delivery, Submission } from "../../caps/records.ts";
import { isSubmission } from "../../caps/submission.ts";
import { interpose, type InterposeOptions } from "./interpose.ts";
import type { Interposer } from "./interposer.ts";
import type { InterposedPort } from "./layer.ts";

/** Messages taken from a holder before others on this thread get their turn. */
const MESSAGES_PER_TURN = 32;

/**
 * Goes on in place of what is no submission, which the driver refuses for just
 * that: it may be large, or hold a port, and could then not be posted again.
 */
const NO_SUBMISSION = null as unknown as Submission;

/** What a relay is made of. */
export interface RelayOptions extends InterposeOptions {
  /** Takes what the event loop has not dispatched yet. */
  readonly takeNow: TakeNow;
}

/** Moves messages between a holder elsewhere and the layers here. */
export class Relay implements Disposable {
  /** The holder's end: to be transferred to it. */
  readonly holder: MessagePort;
  readonly #outer: Port<Delivery, unknown>;
  readonly #inner: InterposedPort;

  /** Puts `interposers` before `data`, a holder's end of its channel to the driver; it is the relay's from now on. */
  constructor(
    data: Port<Submission, Delivery>,
    interposers: readonly Interposer[],
    options: RelayOptions,
  ) {
    const { takeNow } = options;
    const channel = new MessageChannel();
    this.holder = channel.port2;
    this.#inner = interpose(data, interposers, options);
    this.#outer = fromMessagePort(channel.port1, { takeNow });
    this.#inner.onReady = () => this.#deliver();
    this.#outer.onReady = () => this.#submit();
    this.#deliver();
  }

  /** Has the driver take back what is held here. For when the holder is gone or is about to be. */
  giveBack(): void {
    this.#submit();
    this.#inner.giveBack();
  }

  /** Lets all that is held go on at once; from now on nothing is held. */
  hurry(): void {
    this.#inner.hurry();
    this.#submit();
  }

  /** Gives back what is held, and closes both channels. */
  [Symbol.dispose](): void {
    this.giveBack();
    this.#outer[Symbol.dispose]();
    this.#inner[Symbol.dispose]();
  }

  #deliver(): void {
    for (const delivery of takeAll(this.#inner)) {
      this.#outer.post(delivery, [delivery.records, ...delivery.pages]);
    }
  }

  #submit(): void {
    for (let i = 0; i < MESSAGES_PER_TURN; i++) {
      const message = this.#outer.take();
      if (message === undefined) break;
      if (isSubmission(message)) forward(this.#inner, message);
      else this.#inner.post(NO_SUBMISSION);
    }
    this.#deliver();
  }
}

/**
 * Posts a submission, with all that the driver will look at. What is no page is
 * left out, so that nothing in it can keep the rest from being moved; its record
 * is refused all the same.
 */
function forward(
  port: InterposedPort,
  message: Submission & { pages: unknown[] },
): void {
  const { tag, records, count } = message;
  const moved = new Set<Transferable>([records]);
  const pages = message.pages.map((page) => {
    if (!isBufferOf(page, PAGE_BYTES)) return undefined;
    moved.add(page);
    return page;
  }) as ArrayBuffer[];
  const presented = typeof tag === "bigint" ? tag : 0n; // void like any other
  port.post({ tag: presented, records, count, pages }, [...moved]);
}
