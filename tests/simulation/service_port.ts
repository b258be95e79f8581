/** A service's port to its driver, that can be held up, and that tells what crosses it. */

import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE,
  RecordView,
  type Submission,
} from "../../caps/port/records.ts";
import { StallingPort } from "./stalling_port.ts";

/** Told of each frame that a service takes or gives. */
export type Watch = (what: "takes" | "gives", bytes: Uint8Array) => void;

/** A port around another. */
export class ServicePort extends StallingPort<Submission, Delivery> {
  readonly #watch: Watch;

  /** Around `port`, which is its own from now on. */
  constructor(port: Port<Submission, Delivery>, watch: Watch) {
    super(port);
    this.#watch = watch;
  }

  override post(message: Submission, transfer: Transferable[] = []): boolean {
    this.#tell("gives", message);
    return super.post(message, transfer);
  }

  override take(): Delivery | undefined {
    const delivery = super.take();
    if (delivery !== undefined) this.#tell("takes", delivery);
    return delivery;
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
