/** The system's end of one service: is it alive, and what did it count? */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import { NoAnswerError } from "../../runtime/calls.ts";
import { ControlLine } from "../../runtime/control_line.ts";
import type { ServiceNews } from "../../core/core.ts";
import type {
  OpenedPorts,
  PortConnection,
  PortCounts,
} from "../../core/ports.ts";
import type {
  Connection,
  ServiceOrder,
  ServiceReport,
} from "../../core/messages.ts";
import type { ServiceSnapshot } from "../snapshot.ts";
import type { Place, Thread } from "../../runtime/thread.ts";
import { TIME_LIMITS, type TimeLimits } from "../time_limits.ts";
import { oneLine } from "../one_line.ts";
import { readServiceReport } from "./service_report.ts";

/** How long a snapshot waits for its counters: then those of before are shown. */
const SNAPSHOT_WAIT_MS = 250;

/** Messages that make no sense after which it is ended. */
const STRIKES_MAX = 64;

/** One life of a service, seen from the system. */
export class ServiceHost {
  readonly name: string;
  /** What the driver and the filter service know it by. */
  port: PortId;
  state: Exclude<ServiceSnapshot["state"], "restarting"> = "starting";
  /** Whether it was ended for what it sent, for good. */
  wasCutOff = false;
  /** Whether it was ended because it did not answer: then it may run on. */
  silent = false;
  failure: string | undefined;
  /** What it counted when it was asked last. */
  counters: Counts = {};
  /** What it counted at its ports then. */
  portCounts: readonly PortCounts[] = [];
  /** What it used then. */
  memoryBytes = 0;
  /** The ports that its core has opened, once it runs. */
  opened: OpenedPorts = { asks: {}, answers: {} };
  /** What was refused of its messages by the one that cut it off. */
  refusals: Counts = {};
  /** Worker of the service, once it was started. */
  thread: Thread | undefined;
  readonly #control: ControlLine<ServiceOrder, ServiceReport>;
  readonly #onFailed: (host: ServiceHost) => void;
  readonly #limits: TimeLimits;
  #decided = Promise.withResolvers<void>();
  #starting: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #strikes = 0;

  /** Speaks on `control`; `onFailed` hears once when the service is at an end by a fault of its own. */
  constructor(
    service: {
      readonly name: string;
      readonly port: PortId;
      readonly control: MessagePort;
    },
    onFailed: (host: ServiceHost) => void,
    limits: TimeLimits = TIME_LIMITS,
  ) {
    this.#limits = limits;
    this.name = service.name;
    this.port = service.port;
    this.#onFailed = onFailed;
    this.#control = new ControlLine(service.control, {
      whom: `service ${service.name}`,
      answerMsMax: limits.answerMsMax,
      read: readServiceReport,
      onReport: (report) => {
        if (report.kind === "failed") this.fail(report.message);
        else if (this.state === "starting") this.#run(report);
        else this.#strike();
      },
      onNonsense: () => this.#strike(),
    });
  }

  /** Takes the thread that was started: it must run soon. */
  started(thread: Thread): void {
    this.thread = thread;
    if (this.state !== "starting") return thread.end();
    this.#mustRun();
  }

  #mustRun(): void {
    const { startMsMax } = this.#limits;
    this.#starting = setTimeout(
      () => this.fail(`it does not run after ${startMsMax / 1000} s`),
      startMsMax,
    );
  }

  /** Unplugs it: its capabilities ended with the NIC, it lives on. */
  unplug(): void {
    if (this.state !== "running") return;
    this.state = "starting";
    this.#decided = Promise.withResolvers();
  }

  /** Gives it new capabilities, at a new port: it must run soon. */
  reconnect(port: PortId, connection: Connection): void {
    if (this.state !== "starting") return;
    this.port = port;
    this.refusals = {};
    const { data, requests } = connection;
    this.#control.send(
      { kind: "reconnect", ...connection },
      data === undefined ? [requests] : [data, requests],
    );
    this.#mustRun();
  }

  /** Where the service runs; undefined while it was not started, and once its line is closed. */
  get place(): Place | undefined {
    return this.#control.open ? this.thread?.place : undefined;
  }

  /** Resolves when it runs or has failed. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  /** Asks for its counters; a service that does not answer has failed. */
  async ask(): Promise<Counts> {
    if (this.#heartbeat === undefined) return this.counters;
    try {
      const report = await this.#control.ask(
        "counters",
        (id) => ({ kind: "count", id }),
      );
      this.counters = report.counters;
      this.portCounts = report.ports;
      this.memoryBytes = report.memoryBytes;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.silent = true;
      this.fail("it stopped answering; it was ended");
    }
    return this.counters;
  }

  /** Brings its counters up to date, unless it is slow to say them. */
  async refresh(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SNAPSHOT_WAIT_MS);
    });
    await Promise.race([this.ask(), timeout]);
    clearTimeout(timer);
  }

  /** Tells it what became of a service that it watches. */
  tell(news: ServiceNews): void {
    if (this.state === "running") this.#control.send({ kind: "news", ...news });
  }

  /** Gives it one end of a connection with another service. */
  connectPort(connection: PortConnection, port: MessagePort): void {
    this.#control.send({ kind: "connect-port", ...connection, port }, [port]);
  }

  /** Tells it that the other end of a connection has ended. */
  closePort(id: number): void {
    this.#control.send({ kind: "close-port", id });
  }

  /** Ends it for what it sent. */
  cutOff(failure: string): void {
    this.wasCutOff = true;
    this.fail(failure);
  }

  /** Ends it by a fault of its own. */
  fail(failure: string): void {
    if (this.state === "failed" || this.state === "stopped") return;
    this.state = "failed";
    this.failure = oneLine(failure);
    this.#letGo();
    this.#onFailed(this);
  }

  /** Ends it. */
  stop(): void {
    if (this.state !== "failed") this.state = "stopped";
    this.#letGo();
  }

  #letGo(): void {
    clearTimeout(this.#starting);
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#control.close();
    this.thread?.end();
    this.#decided.resolve();
  }

  #strike(): void {
    if (++this.#strikes !== STRIKES_MAX) return;
    this.cutOff("it was ended: too many of its messages made no sense");
  }

  #run({ ports }: Extract<ServiceReport, { kind: "running" }>): void {
    this.state = "running";
    if (ports !== undefined) this.opened = ports;
    clearTimeout(this.#starting);
    const { heartbeatMs } = this.#limits;
    this.#heartbeat ??= setInterval(() => void this.ask(), heartbeatMs);
    this.#decided.resolve();
  }
}
