/** A port that counts what crosses it: how full the way is, and when all is back. */

import type { Port } from "../../caps/port/port.ts";
import type { Delivery } from "../../caps/port/records.ts";

/** How long packets may take that are back in a fraction of a second. */
const PATIENCE_MS = 30_000;

/** The driver's end of a holder's port. */
export class CountedPort implements Port<Delivery | null, unknown> {
  /** Messages that were posted and have not come back. */
  messagesOut = 0;
  /** Packets that were posted. */
  posted = 0;
  /** Packets that have come back. */
  returned = 0;
  readonly #inner: Port<Delivery | null, unknown>;
  #awaited: { readonly packets: number; readonly tell: () => void } | undefined;

  constructor(inner: Port<Delivery | null, unknown>) {
    this.#inner = inner;
  }

  post(message: Delivery | null, transfer?: Transferable[]): boolean {
    this.messagesOut++;
    this.posted += message?.count ?? 0;
    return this.#inner.post(message, transfer);
  }

  take(): unknown {
    const message = this.#inner.take();
    if (message === undefined) return undefined;
    this.messagesOut--;
    this.returned += (message as Delivery).count;
    if (this.#awaited !== undefined && this.returned >= this.#awaited.packets) {
      this.#awaited.tell();
      this.#awaited = undefined;
    }
    return message;
  }

  /**
   * Resolves when `packets` in all have come back.
   * @throws {Error} when they do not within {@link SNAPSHOT_WAIT_MS}.
   */
  whenReturned(packets: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const { posted, returned, messagesOut } = this;
        const counts = JSON.stringify({ posted, returned, messagesOut });
        reject(new Error(`deliver: ${packets} packets never came: ${counts}`));
      }, PATIENCE_MS);
      const tell = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#awaited = { packets, tell };
    });
  }

  set onReady(callback: (() => void) | undefined) {
    this.#inner.onReady = callback;
  }

  get onReady(): (() => void) | undefined {
    return this.#inner.onReady;
  }

  get closed(): boolean {
    return this.#inner.closed;
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }
}
