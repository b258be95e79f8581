/**
 * The system's end of its nursery: a worker that keeps the permissions which the
 * system gives up once everything runs, so that what crashes later can be
 * started again. A worker cannot have more than the one that starts it.
 *
 * What the system starts at first it starts itself: a worker of a worker takes
 * one second to begin (Deno 2.9.6, measured), against 60 ms.
 */

import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import type {
  Part,
  Thread,
  ThreadOptions,
  Threads,
} from "../../runtime/thread.ts";
import { Calls } from "../../runtime/calls.ts";
import {
  startWorker,
  type WorkerPermissions,
} from "../../runtime/start_worker.ts";
import type { NurseryOrder, NurseryReport, NurseryStart } from "./messages.ts";

/** What a nursery may do that starts a driver with `driver` again: that, and load modules. */
export function nurseryPermissions(
  driver: WorkerPermissions,
): WorkerPermissions {
  return {
    ...(driver === "none" ? {} : driver),
    // What it starts is loaded with its own permissions.
    read: "inherit",
    import: "inherit",
  };
}

/** Starts parts in workers, on behalf of a system that may not. */
export class Nursery implements Threads, Disposable {
  readonly #control: Port<NurseryOrder, NurseryReport>;
  readonly #calls = new Calls<Extract<NurseryReport, { kind: "released" }>>(
    "the nursery",
  );
  readonly #end: () => void;
  readonly #crashed = new Map<number, (message: string) => void>();
  #next = 0;

  /** With `permissions` for itself, and so at most these for what it starts. */
  constructor(
    permissions: WorkerPermissions,
    onCrash: (message: string) => void,
  ) {
    const channel = new MessageChannel();
    const start: NurseryStart = { control: channel.port2 };
    this.#control = fromMessagePort(channel.port1);
    this.#control.onReady = () => {
      for (const report of takeAll(this.#control)) {
        if (report.kind === "released") this.#calls.answer(report.id, report);
        else {
          this.#crashed.get(report.id)?.(report.message);
          this.#crashed.delete(report.id);
        }
      }
    };
    this.#end = startWorker({
      module: new URL("./worker.ts", import.meta.url).href,
      permissions,
      start,
      transfer: [channel.port2],
      limited: false,
    }, onCrash);
  }

  /** Has a part started. */
  start<Start>(
    part: Part<Start>,
    start: Start,
    { transfer, onCrash }: ThreadOptions,
  ): Thread {
    const id = this.#next++;
    this.#crashed.set(id, onCrash);
    const module = part.worker.href;
    const { permissions, limited = false } = part;
    this.#control.post(
      { kind: "start", id, module, permissions, start, transfer, limited },
      transfer,
    );
    return {
      end: () => {
        this.#crashed.delete(id);
        this.#control.post({ kind: "end", id });
      },
    };
  }

  /** Has closed what a driver that is gone had of the kernel. Resolves when that is done. */
  async release(resources: SharedArrayBuffer): Promise<void> {
    await this.#calls.ask((id) =>
      this.#control.post({ kind: "release", id, resources })
    );
  }

  /** Ends it, and every worker that it started. */
  [Symbol.dispose](): void {
    this.#calls.abandon();
    this.#control[Symbol.dispose]();
    this.#end();
  }
}
