/** A port that can be held up. */

import type { Port } from "../../caps/port/port.ts";

/** A port around another. */
export class StallingPort<Out, In> implements Port<Out, In> {
  onReady: (() => void) | undefined;
  readonly #port: Port<Out, In>;
  #stalled = false;

  /** Around `port`, which is its own from now on. */
  constructor(port: Port<Out, In>) {
    this.#port = port;
    port.onReady = () => {
      if (!this.#stalled) this.onReady?.();
    };
  }

  get closed(): boolean {
    return this.#port.closed;
  }

  post(message: Out, transfer: Transferable[] = []): boolean {
    return this.#port.post(message, transfer);
  }

  take(): In | undefined {
    return this.#stalled ? undefined : this.#port.take();
  }

  /** Nothing arrives from now on. */
  stall(): void {
    this.#stalled = true;
  }

  /** What has arrived is there. */
  resume(): void {
    this.#stalled = false;
    this.onReady?.();
  }

  [Symbol.dispose](): void {
    this.#port[Symbol.dispose]();
  }
}
