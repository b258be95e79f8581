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
import { ControlLine } from "../../runtime/control_line.ts";
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
  /** Where the nursery itself runs. */
  readonly place: Place;
  readonly #control: ControlLine<NurseryOrder, NurseryReport>;
  readonly #end: () => void;
  readonly #crashed = new Map<number, (message: string) => void>();
  #next = 0;

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
      onReport: ({ worker, message }) => {
        this.#crashed.get(worker)?.(message);
        this.#crashed.delete(worker);
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
    this.#crashed.set(worker, onCrash);
    const module = part.worker.href;
    const { permissions, limited = false } = part;
    this.#control.send(
      { kind: "start", worker, module, permissions, start, transfer, limited },
      transfer,
    );
    return {
      place: { kind: "worker", permissions, limited },
      end: () => {
        this.#crashed.delete(worker);
        this.#control.send({ kind: "end", worker });
      },
    };
  }

  /** Has the kernel resources closed that a dead driver left. Resolves when that is done. */
  async release(resources: SharedArrayBuffer): Promise<void> {
    await this.#control.ask(
      "released",
      (id) => ({ kind: "release", id, resources }),
    );
  }

  /** Ends it, and every worker that it started. */
  [Symbol.dispose](): void {
    this.#control.close();
    this.#end();
  }
}
