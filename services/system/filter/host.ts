/** The system's end of a filter service. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { ControlLine } from "../../runtime/control_line.ts";
import type {
  FilterOrder,
  FilterReport,
} from "../../filter/service/messages.ts";

/** A filter service, seen from the system. */
export class FilterHost {
  readonly #control: ControlLine<FilterOrder, FilterReport>;
  readonly #root = Promise.withResolvers<Capability>();

  /** Speaks on `control`. `onCutOff` hears of holders that were cut off. */
  constructor(
    control: MessagePort,
    onCutOff: (port: PortId, refusals: Counts) => void,
  ) {
    this.#control = new ControlLine(control, {
      whom: "the filter service",
      onReport: (report) => {
        if (report.kind === "root") {
          this.#root.resolve(report.root as Capability);
        } else onCutOff(report.port, report.refusals);
      },
    });
    this.#root.promise.catch(() => {});
  }

  /** The root capability. */
  get root(): Promise<Capability> {
    return this.#root.promise;
  }

  /** Connects a holder. */
  attach(port: PortId, requests: MessagePort): void {
    this.#control.send({ kind: "attach", port, requests }, [requests]);
  }

  /** Revokes all capabilities of a holder; in force when this resolves. */
  async detach(port: PortId): Promise<void> {
    await this.#control.ask("released", (id) => ({ kind: "detach", port, id }));
  }

  /** Resolves when the filter service has answered, and so is alive. */
  async ping(): Promise<void> {
    await this.#control.ask("pong", (id) => ({ kind: "ping", id }));
  }

  /** The live capabilities in words, and what was refused. */
  describe(): Promise<Extract<FilterReport, { kind: "described" }>> {
    return this.#control.ask("described", (id) => ({ kind: "describe", id }));
  }

  /** Fails all who wait for the filter service: it has failed. */
  fail(message: string): void {
    this.#root.reject(new Error(message));
    this.#control.abandon();
  }

  /** Closes the line; a filter service that still runs stops. */
  close(): void {
    this.#control.close();
  }
}
