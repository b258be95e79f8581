/** The system's end of a driver service. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type {
  DriverCounts,
  HolderLimits,
  SystemOrder,
  SystemReport,
} from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { TrustedRings } from "../../../caps/port/trusted_ring.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import { Calls } from "../../runtime/calls.ts";

/** How long a driver may take to close its NIC. */
const STOP_MS_MAX = 3000;

/** What a driver tells of itself, unasked. */
export interface DriverEvents {
  /** A holder was cut off for what it sent. */
  onOutlaw(port: PortId, refusals: Counts): void;
  /** Nothing will ever arrive again, and all that did was handled; what was wrong with that, if anything. */
  onEnded(warning: string | undefined): void;
  /** It cannot go on. */
  onFailed(message: string): void;
}

/** A driver service, seen from the system. */
export class DriverHost {
  readonly #control: Port<SystemOrder, SystemReport>;
  readonly #events: DriverEvents;
  readonly #calls = new Calls<Extract<SystemReport, { kind: "counts" }>>(
    "the driver service",
  );
  readonly #opened = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<DriverCounts>();

  /** Speaks on `control`; tells `events`. */
  constructor(control: MessagePort, events: DriverEvents) {
    this.#control = fromMessagePort(control);
    this.#events = events;
    this.#control.onReady = () => {
      for (const report of takeAll(this.#control)) this.#take(report);
    };
    // Whoever waits for these hears of a failure; nobody need.
    this.#opened.promise.catch(() => {});
    this.#stopped.promise.catch(() => {});
  }

  /**
   * Resolves when the NIC is open.
   * @throws when it cannot be opened: what happened and what to do, in one line.
   */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Connects a holder; one that is trusted with packet memory has `rings`. */
  attach(
    port: PortId,
    data: MessagePort,
    limits: HolderLimits,
    rings?: TrustedRings,
  ): void {
    this.#control.post({
      kind: "attach",
      port,
      data,
      ...limits,
      ...(rings === undefined ? {} : { rings }),
    }, [data]);
  }

  /** A holder is gone. */
  detach(port: PortId): void {
    this.#control.post({ kind: "detach", port });
  }

  /** Lets packets come in. */
  receive(): void {
    this.#control.post({ kind: "receive" });
  }

  /** Its counts now. */
  async counts(): Promise<DriverCounts> {
    const report = await this.#calls.ask((id) =>
      this.#control.post({ kind: "count", id })
    );
    return report.counts;
  }

  /**
   * Closes the NIC. Resolves with the last counts.
   * @throws when it has failed, or does not stop.
   */
  async stop(): Promise<DriverCounts> {
    this.#control.post({ kind: "stop" });
    const timer = setTimeout(
      () =>
        this.#stopped.reject(
          new Error(`the driver has not stopped for ${STOP_MS_MAX / 1000} s`),
        ),
      STOP_MS_MAX,
    );
    try {
      return await this.#stopped.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** It has failed: nobody waits for it any more. */
  fail(message: string): void {
    const error = new Error(message);
    this.#opened.reject(error);
    this.#stopped.reject(error);
    this.#calls.abandon();
  }

  /** Lets go of it; if it still runs, it stops. */
  close(): void {
    this.#calls.abandon();
    this.#control.post({ kind: "stop" });
    this.#control[Symbol.dispose]();
  }

  #take(report: SystemReport): void {
    switch (report.kind) {
      case "open":
        return this.#opened.resolve();
      case "counts":
        return void this.#calls.answer(report.id, report);
      case "stopped":
        return this.#stopped.resolve(report.counts);
      case "outlaw":
        return this.#events.onOutlaw(report.port, report.refusals);
      case "ended":
        return this.#events.onEnded(report.warning);
      case "failed":
        return this.#events.onFailed(report.message);
    }
  }
}
