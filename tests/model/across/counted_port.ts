/** A port that counts its messages: by that, one thread knows when another has taken all that there was. */

import type { Port } from "../../../caps/port/port.ts";

/** A port whose messages are counted. */
export class CountedPort<Out, In> implements Port<Out, In> {
  posted = 0;
  taken = 0;
  readonly #port: Port<Out, In>;

  constructor(port: Port<Out, In>) {
    this.#port = port;
  }

  post(message: Out, transfer?: Transferable[]): boolean {
    const posted = this.#port.post(message, transfer);
    if (posted) this.posted++;
    return posted;
  }

  take(): In | undefined {
    const message = this.#port.take();
    if (message !== undefined) this.taken++;
    return message;
  }

  get onReady(): (() => void) | undefined {
    return this.#port.onReady;
  }

  set onReady(notify: (() => void) | undefined) {
    this.#port.onReady = notify;
  }

  get closed(): boolean {
    return this.#port.closed;
  }

  get overrun(): boolean {
    return this.#port.overrun ?? false;
  }

  [Symbol.dispose](): void {
    this.#port[Symbol.dispose]();
  }
}
