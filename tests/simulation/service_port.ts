/** A service's port to its driver, that can be held up, and that tells what crosses it. */

import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE,
  RecordView,
  type Submission,
} from "../../caps/port/records.ts";

/** Told of each frame that a service takes or gives. */
export type Watch = (what: "takes" | "gives", bytes: Uint8Array) => void;

/** A port around another. */
export class ServicePort implements Port<Submission, Delivery> {
  onReady: (() => void) | undefined;
  readonly #port: Port<Submission, Delivery>;
  readonly #watch: Watch;
  #stalled = false;

  /** Around `port`, which is its own from now on. */
  constructor(port: Port<Submission, Delivery>, watch: Watch) {
    this.#port = port;
    this.#watch = watch;
    port.onReady = () => {
      if (!this.#stalled) this.onReady?.();
    };
  }

  get closed(): boolean {
    return this.#port.closed;
  }

  post(message: Submission, transfer: Transferable[] = []): boolean {
    this.#tell("gives", message);
    return this.#port.post(message, transfer);
  }

  take(): Delivery | undefined {
    if (this.#stalled) return undefined;
    const delivery = this.#port.take();
    if (delivery !== undefined) this.#tell("takes", delivery);
    return delivery;
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

  #tell(what: "takes" | "gives", message: Delivery | Submission): void {
    const view = new RecordView(message.records);
    let at = 0;
    for (let i = 0; i < message.count; i++) {
      const inline = view.page(at) === INLINE;
      const base = inline ? at : 0;
      const bytes = inline
        ? view.bytes
        : new Uint8Array(message.pages[view.page(at)]!);
      const start = base + view.start(at);
      const length = view.length(at);
      // A core may have set any length: what lies beyond is the driver's to refuse.
      if (length > 0) this.#watch(what, bytes.subarray(start, start + length));
      at += view.stride(at);
    }
  }
}
