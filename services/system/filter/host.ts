/** The system's end of a filter service. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { Calls } from "../../runtime/calls.ts";
import type {
  FilterOrder,
  FilterReport,
} from "../../filter/service/messages.ts";

type Answer = Extract<
  FilterReport,
  { kind: "released" | "described" | "pong" }
>;

/** A filter service, seen from the system. */
export class FilterHost {
  readonly #control: Port<FilterOrder, FilterReport>;
  readonly #calls = new Calls<Answer>("the filter service");
  readonly #root = Promise.withResolvers<Capability>();
  readonly #onOutlaw: (port: PortId, refusals: Counts) => void;

  /** Speaks on `control`. `onOutlaw` hears of holders that were cut off. */
  constructor(
    control: MessagePort,
    onOutlaw: (port: PortId, refusals: Counts) => void,
  ) {
    this.#control = fromMessagePort(control);
    this.#onOutlaw = onOutlaw;
    this.#control.onReady = () => {
      for (const report of takeAll(this.#control)) this.#take(report);
    };
    this.#root.promise.catch(() => {});
  }

  /** The root capability. */
  get root(): Promise<Capability> {
    return this.#root.promise;
  }

  /** Connects a holder. */
  attach(port: PortId, requests: MessagePort): void {
    this.#control.post({ kind: "attach", port, requests }, [requests]);
  }

  /** Ends all capabilities of a holder; in force when this resolves. */
  async detach(port: PortId): Promise<void> {
    await this.#calls.ask((id) =>
      this.#control.post({ kind: "detach", port, id })
    );
  }

  /** Resolves when it has answered: it is alive. */
  async ping(): Promise<void> {
    await this.#calls.ask((id) => this.#control.post({ kind: "ping", id }));
  }

  /** The live capabilities in words, and what was refused. */
  async describe(): Promise<Extract<FilterReport, { kind: "described" }>> {
    const answer = await this.#calls.ask((id) =>
      this.#control.post({ kind: "describe", id })
    );
    if (answer.kind !== "described") {
      throw new Error("the filter service answered another question");
    }
    return answer;
  }

  /** It has failed: nobody waits for it any more. */
  fail(message: string): void {
    this.#root.reject(new Error(message));
    this.#calls.abandon();
  }

  /** Lets go of it; if it still runs, it stops. */
  close(): void {
    this.#calls.abandon();
    this.#control.post({ kind: "stop" });
    this.#control[Symbol.dispose]();
  }

  #take(report: FilterReport): void {
    switch (report.kind) {
      case "root":
        return this.#root.resolve(report.root as Capability);
      case "outlaw":
        return this.#onOutlaw(report.port, report.refusals);
      case "released":
      case "described":
      case "pong":
        return void this.#calls.answer(report.id, report);
    }
  }
}
