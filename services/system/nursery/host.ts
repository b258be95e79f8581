/**
 * The system's end of its nursery: a worker that keeps the permissions which the
 * system gives up once everything runs, so that what crashes later can be
 * started again. A worker cannot have more than the one that starts it.
 *
 * What the system starts at first it starts itself: a worker of a worker takes
 * one second to begin (Deno 2.9.6, measured), against 60 ms.
 */

import type {
  Part,
  Place,
  Thread,
  ThreadOptions,
  Threads,
} from "../../runtime/thread.ts";
import {
  portsOf,
  type ProcessEvents,
  type ProcessStart,
} from "../../runtime/process/start_process.ts";
import { ControlLine } from "../../runtime/control_line.ts";
import {
  startWorker,
  type WorkerPermissions,
} from "../../runtime/start_worker.ts";
import type { NurseryOrder, NurseryReport, NurseryStart } from "./messages.ts";

/**
 * What a nursery may do that starts a driver with `driver` again: that, load
 * modules, and run `deno` where it starts processes too.
 */
export function nurseryPermissions(
  driver: WorkerPermissions,
  deno?: string,
): WorkerPermissions {
  return {
    ...(driver === "none" ? {} : driver),
    ...(deno === undefined ? {} : { run: [deno] }),
    // What it starts is loaded with its own permissions.
    read: "inherit",
    import: "inherit",
  };
}

/** Starts parts in workers, and services in processes, on behalf of a system that may not. */
export class Nursery implements Threads, Disposable {
  /** Where the nursery itself runs. */
  readonly place: Place;
  readonly #control: ControlLine<NurseryOrder, NurseryReport>;
  readonly #end: () => void;
  /** By the number of what was started. */
  readonly #events = new Map<
    number,
    Pick<ThreadOptions, "onCrash"> & Partial<ProcessEvents>
  >();
  #next = 0;
  #processes = 0;

  /** With `permissions` for itself, and so at most these for what it starts. */
  constructor(
    permissions: WorkerPermissions,
    onCrash: (message: string) => void,
  ) {
    this.place = { kind: "worker", permissions, limited: false };
    const channel = new MessageChannel();
    const start: NurseryStart = { control: channel.port2 };
    this.#control = new ControlLine(channel.port1, {
      whom: "the nursery",
      onReport: (report) => {
        const { worker } = report;
        const events = this.#events.get(worker);
        if (report.kind === "printed") return events?.onPrinted?.(report.line);
        this.#events.delete(worker);
        events?.onCrash(report.message);
      },
    });
    this.#end = startWorker({
      module: new URL("./worker.ts", import.meta.url).href,
      permissions,
      start,
      transfer: [channel.port2],
      limited: false,
    }, (message) => {
      this.#control.close();
      onCrash(message);
    });
  }

  /** Whether the nursery can be asked. */
  get open(): boolean {
    return this.#control.open;
  }

  /** Has a part started. */
  start<Start>(
    part: Part<Start>,
    start: Start,
    { transfer, onCrash }: ThreadOptions,
  ): Thread {
    const worker = this.#next++;
    this.#events.set(worker, { onCrash });
    const module = part.worker.href;
    const { permissions, limited = false } = part;
    this.#control.send(
      { kind: "start", worker, module, permissions, start, transfer, limited },
      transfer,
    );
    return {
      place: { kind: "worker", permissions, limited },
      end: () => this.#endOne(worker),
    };
  }

  /** Has the process of a service started. */
  startProcess(process: ProcessStart, events: ProcessEvents): Thread {
    const worker = this.#next++;
    this.#processes++;
    this.#events.set(worker, events);
    this.#control.send(
      { kind: "start-process", worker, process },
      portsOf(process),
    );
    return { place: { kind: "process" }, end: () => this.#endOne(worker) };
  }

  #endOne(worker: number): void {
    this.#events.delete(worker);
    this.#control.send({ kind: "end", worker });
  }

  /** Has the kernel resources closed that a dead driver left. Resolves when that is done. */
  async release(resources: SharedArrayBuffer): Promise<void> {
    await this.#control.ask(
      "released",
      (id) => ({ kind: "release", id, resources }),
    );
  }

  /** Ends it, and all that it started. Processes would not end with its worker: it is waited for. */
  async close(): Promise<void> {
    if (this.#processes > 0 && this.open) {
      await this.#control.ask("all-ended", (id) => ({ kind: "end-all", id }))
        .catch(() => {});
    }
    this[Symbol.dispose]();
  }

  /** Ends it, and every worker that it started. */
  [Symbol.dispose](): void {
    this.#control.close();
    this.#end();
  }
}
