/** The system's end of one service: is it alive, and what did it count? */

import type { Counts } from "../../caps/accounts.ts";
import type { PortId } from "../../caps/kernel.ts";
import { fromMessagePort, type Port } from "../../caps/port.ts";
import { Calls, NoAnswerError } from "../calls.ts";
import type { ServiceOrder, ServiceReport } from "../shell.ts";
import type { ServiceSnapshot } from "../snapshot.ts";
import type { Thread } from "../thread.ts";

/** How often a service is asked whether it is alive. */
const HEARTBEAT_MS = 1000;

/** A service, seen from the system. */
export class ServiceHost {
  readonly name: string;
  readonly port: PortId;
  state: ServiceSnapshot["state"] = "starting";
  failure: string | undefined;
  /** What it counted when it was asked last. */
  counters: Counts = {};
  /** Its worker, once it was started. */
  thread: Thread | undefined;
  readonly #control: Port<ServiceOrder, ServiceReport>;
  readonly #calls: Calls<Extract<ServiceReport, { kind: "counters" }>>;
  readonly #onFailed: (host: ServiceHost) => void;
  readonly #settled = Promise.withResolvers<void>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  /** Speaks on `control`; `onFailed` hears once when the service is at an end by a fault of its own. */
  constructor(
    service: {
      readonly name: string;
      readonly port: PortId;
      readonly control: MessagePort;
    },
    onFailed: (host: ServiceHost) => void,
  ) {
    this.name = service.name;
    this.port = service.port;
    this.#control = fromMessagePort(service.control);
    this.#calls = new Calls(`service ${service.name}`);
    this.#onFailed = onFailed;
    this.#control.onReady = () => this.#takeReports();
  }

  /** Resolves when it runs or has failed. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Asks for its counters; a service that does not answer has failed. */
  async ask(): Promise<Counts> {
    if (this.state !== "running") return this.counters;
    try {
      const report = await this.#calls.ask((id) =>
        this.#control.post({ kind: "count", id })
      );
      this.counters = report.counters;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.fail("it stopped answering; it was ended");
    }
    return this.counters;
  }

  /** It is at an end by a fault of its own. */
  fail(failure: string): void {
    if (this.state === "failed" || this.state === "stopped") return;
    this.state = "failed";
    this.failure = failure;
    this.#letGo();
    this.#onFailed(this);
  }

  /** Ends it. */
  stop(): void {
    if (this.state !== "failed") this.state = "stopped";
    this.#letGo();
  }

  #letGo(): void {
    clearInterval(this.#heartbeat);
    this.#calls.abandon();
    this.#control.post({ kind: "stop" });
    this.#control[Symbol.dispose]();
    this.thread?.end();
    this.#settled.resolve();
  }

  #takeReports(): void {
    const control = this.#control;
    for (
      let report = control.take();
      report !== undefined;
      report = control.take()
    ) {
      if (report.kind === "counters") this.#calls.settle(report);
      else if (report.kind === "failed") this.fail(oneLine(report.message));
      else if (this.state === "starting") this.#run();
    }
  }

  #run(): void {
    this.state = "running";
    this.#heartbeat = setInterval(() => void this.ask(), HEARTBEAT_MS);
    this.#settled.resolve();
  }
}

/** What a service says of its end is shown to people: one line, and not a long one. */
function oneLine(message: unknown): string {
  // deno-lint-ignore no-control-regex
  return String(message).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(
    0,
    200,
  );
}
