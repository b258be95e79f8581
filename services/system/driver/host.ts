/** The system's end of a driver service. */

import { given } from "../../../caps/kernel/given.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import type {
  DriverCounts,
  HolderLimits,
  NicAbilities,
  ProcessCommand,
  ProcessEnds,
  SystemOrder,
  SystemReport,
} from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { TrustedRings } from "../../../caps/port/trusted_ring.ts";
import { ControlLine } from "../../runtime/control_line.ts";

/** How long a driver may take to close its NIC. */
const STOP_MS_MAX = 3000;

/** What a driver service reports unasked. */
export interface DriverEvents {
  /** A holder was cut off for what it sent. */
  onCutOff(port: PortId, refusals: Counts): void;
  /** Nothing will ever arrive again, and all that did was handled; `warning` says what was wrong with that, if anything. */
  onEnded(warning: string | undefined): void;
  /** What a person should know of the NIC, in one line. */
  onNotice(text: string): void;
  /** The driver service cannot go on. */
  onFailed(message: string): void;
}

/** A driver service, seen from the system. */
export class DriverHost {
  readonly #control: ControlLine<SystemOrder, SystemReport>;
  readonly #events: DriverEvents;
  readonly #opened = Promise.withResolvers<void>();
  #abilities: NicAbilities = { mtu: 0, offloads: 0 };
  readonly #stopped = Promise.withResolvers<DriverCounts>();

  /** Speaks on `control`; tells `events`. */
  constructor(control: MessagePort, events: DriverEvents) {
    this.#events = events;
    this.#control = new ControlLine(control, {
      whom: "the driver service",
      onReport: (report) => this.#take(report),
    });
    // Whoever waits for these hears of a failure; nobody has to wait.
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

  /** What the NIC took when it was opened. */
  get abilities(): NicAbilities {
    return this.#abilities;
  }

  /** Connects a holder; one that is trusted with packet memory has `rings`. */
  attach(
    port: PortId,
    data: MessagePort,
    limits: HolderLimits,
    rings?: TrustedRings,
  ): void {
    this.#control.send({
      kind: "attach",
      port,
      data,
      ...limits,
      ...given({ rings }),
    }, [data]);
  }

  /** Connects a holder whose code is called in the driver's thread. */
  attachCalled(port: PortId): void {
    this.#control.send({ kind: "attach-called", port });
  }

  /** Runs a service in the driver's thread, as the holder at `port`. */
  run(port: PortId, service: unknown, transfer: Transferable[]): void {
    this.#control.send({ kind: "run", port, service }, transfer);
  }

  /** Starts a process for a service; with `holds` it is connected as a holder. */
  spawn(
    port: PortId,
    process: ProcessCommand,
    holds: boolean,
    limits: HolderLimits,
  ): void {
    this.#control.send({ kind: "spawn", port, process, holds, ...limits });
  }

  /** Tells the process of a service what it is. */
  begin(port: PortId, start: unknown, ends: ProcessEnds): void {
    this.#control.send(
      { kind: "begin", port, start, ...ends },
      Object.values(ends),
    );
  }

  /** Disconnects a holder that has ended. */
  detach(port: PortId): void {
    this.#control.send({ kind: "detach", port });
  }

  /** Lets packets come in. */
  receive(): void {
    this.#control.send({ kind: "receive" });
  }

  /** Asks for the counts now. */
  async counts(): Promise<DriverCounts> {
    const { counts } = await this.#control.ask(
      "counts",
      (id) => ({ kind: "count", id }),
    );
    return counts;
  }

  /**
   * Closes the NIC. Resolves with the last counts.
   * @throws when it has failed, or does not stop.
   */
  async stop(): Promise<DriverCounts> {
    this.#control.send({ kind: "stop" });
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

  /** Fails all who wait for the driver service: it has failed. */
  fail(message: string): void {
    const error = new Error(message);
    this.#opened.reject(error);
    this.#stopped.reject(error);
    this.#control.abandon();
  }

  /** Closes the line; a driver service that still runs stops. */
  close(): void {
    this.#control.close();
  }

  #take(report: Exclude<SystemReport, { kind: "counts" }>): void {
    switch (report.kind) {
      case "open": {
        const { mtu, offloads } = report;
        this.#abilities = { mtu, offloads };
        return this.#opened.resolve();
      }
      case "notice":
        return this.#events.onNotice(report.text);
      case "stopped":
        return this.#stopped.resolve(report.counts);
      case "cut-off":
        return this.#events.onCutOff(report.port, report.refusals);
      case "ended":
        return this.#events.onEnded(report.warning);
      case "failed":
        return this.#events.onFailed(report.message);
    }
  }
}
