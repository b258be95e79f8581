/** A holder in a confined worker, without permissions, with nothing but its ports. */

import "../../../services/runtime/confine.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import type { FilterReply } from "../../../services/filter/service/messages.ts";
import type { Delivery } from "../../../caps/port/records.ts";
import { GARBAGE } from "../garbage.ts";
import { type Got, Holder } from "../holder.ts";
import type { AskedRecord } from "../system.ts";
import { CountedPort } from "./counted_port.ts";
import { serve } from "./remote.ts";

/** A message to the driver, and what the holder is told of others' pages. */
interface Submission {
  readonly tag: bigint;
  readonly records: readonly AskedRecord[];
  /** The frame that the packet of a number came in. */
  readonly frames: ReadonlyMap<number, number>;
  /** A frame that is not lent to it, by how it was chosen. */
  readonly foreign: ReadonlyMap<number, number>;
}

/** What a holder has to say once it has taken what there was. */
interface Taken {
  readonly got: readonly Got[];
  /** Messages that it has posted to the driver. */
  readonly posted: number;
  /** The frames of the pages that it has, by the number of the packet that came in each. */
  readonly pages: ReadonlyMap<number, number>;
}

/** What it does when it is told to. */
class HolderPart {
  #data: CountedPort<unknown, Delivery> | undefined;
  #requests: CountedPort<unknown, FilterReply> | undefined;
  #holder: Holder | undefined;

  /** Begins another life. */
  attach(
    ports: { readonly data: MessagePort; readonly requests: MessagePort },
  ): void {
    this.leave(null);
    this.#data = new CountedPort(fromMessagePort(ports.data));
    this.#requests = new CountedPort(fromMessagePort(ports.requests));
    this.#holder = new Holder(this.#data);
  }

  /** Lets go of its ports. */
  leave(_: null): void {
    this.#data?.[Symbol.dispose]();
    this.#requests?.[Symbol.dispose]();
  }

  /** Asks the filter service; waits for its reply. */
  async ask(request: object): Promise<FilterReply> {
    const requests = this.#requests!;
    requests.post(request);
    for (;;) {
      const reply = requests.take();
      if (reply !== undefined) return reply;
      await ready(requests);
    }
  }

  /** Posts one message to the driver. */
  submit({ tag, records, frames, foreign }: Submission): number {
    this.#holder!.submit(tag, records, {
      frameOf: (serial) => frames.get(serial)!,
      foreignFrame: (how) => foreign.get(how)!,
    });
    return this.#data!.posted;
  }

  /** Posts what is no message at all. */
  garbage(
    { to, which }: { to: "filter" | "driver"; which: number },
  ): number {
    const messages = GARBAGE[to];
    const message = messages[which % messages.length]!();
    (to === "filter" ? this.#requests! : this.#data!).post(message);
    return this.#data!.posted;
  }

  /** Takes deliveries, until it has had so many. */
  async take(deliveries: number): Promise<Taken> {
    const got = this.#holder!.take();
    while (this.#data!.taken < deliveries) {
      await ready(this.#data!);
      got.push(...this.#holder!.take());
    }
    return {
      got,
      posted: this.#data!.posted,
      pages: new Map(
        [...this.#holder!.pages].map(([serial, { frame }]) => [serial, frame]),
      ),
    };
  }
}

/** Resolves when something has come to an empty queue. */
function ready(port: CountedPort<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => port.onReady = resolve);
}

export type { HolderPart };

serve(new HolderPart());
