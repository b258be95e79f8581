/**
 * Interposes for a holder in another worker: the layers live here, and the
 * holder gets the end of a channel of their own.
 */

import { isPageOrExtent } from "../../caps/memory/buffers.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
  type TakeNow,
} from "../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  postRecords,
  type Submission,
} from "../../caps/port/records.ts";
import { isSubmission } from "../../caps/port/submission.ts";
import { interpose, type InterposeOptions } from "./interpose.ts";
import type { Interposer } from "./interposer.ts";
import type { InterposedPort } from "./layer.ts";

/**
 * Goes on in place of what is no submission, which the driver refuses for just
 * that: it may be large, or hold a port, and could then not be posted again.
 */
const NO_SUBMISSION = null as unknown as Submission;

export interface RelayOptions extends InterposeOptions {
  /** Takes what the event loop has not dispatched yet. */
  readonly takeNow: TakeNow;
  /** Told once when the holder has had more under way than it has byte strings for; nothing more of it is read. */
  readonly onFlood: () => void;
}

/** Moves messages between a holder elsewhere and the layers here. */
export class Relay implements Disposable {
  /** The holder's end: to be transferred to it. */
  readonly holder: MessagePort;
  readonly #outer: Port<Delivery, unknown>;
  readonly #inner: InterposedPort;
  readonly #onFlood: () => void;
  #flooded = false;

  /** Puts `interposers` before `data`, a holder's end of its channel to the driver; it is the relay's from now on. */
  constructor(
    data: Port<Submission, Delivery>,
    interposers: readonly Interposer[],
    options: RelayOptions,
  ) {
    const { takeNow, onFlood } = options;
    this.#onFlood = onFlood;
    const channel = new MessageChannel();
    this.holder = channel.port2;
    this.#inner = interpose(data, interposers, options);
    this.#outer = fromMessagePort(channel.port1, {
      takeNow,
      unreadMax: IN_FLIGHT_MAX,
    });
    this.#inner.onReady = () => this.#deliver();
    this.#outer.onReady = () => this.#submit();
    this.#deliver();
  }

  /** Has the driver take back what is held here. For when the holder was terminated or is about to be. */
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
    if (this.#flooded) return;
    for (const delivery of takeAll(this.#inner)) {
      postRecords(this.#outer, delivery);
    }
  }

  #submit(): void {
    // Nothing goes to the holder meanwhile: all of these were under way at once.
    for (let count = 0; !this.#flooded; count++) {
      const message = this.#outer.take();
      if (count === IN_FLIGHT_MAX && message !== undefined) this.#flood();
      else if (message === undefined) break;
      else if (isSubmission(message)) forward(this.#inner, message);
      else this.#inner.post(NO_SUBMISSION);
    }
    if (this.#outer.overrun === true) this.#flood();
    this.#deliver();
  }

  #flood(): void {
    if (this.#flooded) return;
    this.#flooded = true;
    this.#outer[Symbol.dispose]();
    this.#onFlood();
  }
}

/**
 * Posts a submission, with all that the driver will look at. What is no page is
 * left out, so that nothing in it can keep the rest from being moved; its record
 * is refused all the same.
 */
function forward(
  port: InterposedPort,
  message: Submission & { capabilities: unknown[]; pages: unknown[] },
): void {
  const { records, count } = message;
  const moved = new Set<Transferable>([records]);
  const pages = message.pages.map((page) => {
    if (!isPageOrExtent(page)) return undefined;
    moved.add(page);
    return page;
  }) as ArrayBuffer[];
  const capabilities = message.capabilities.map((capability) =>
    typeof capability === "bigint" ? capability : 0n // void like any other
  );
  port.post({ capabilities, records, count, pages }, [...moved]);
}
