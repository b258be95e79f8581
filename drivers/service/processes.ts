/** The processes that services of one NIC run in, by the ports that the driver service knows them by. */

import type { PortId } from "../../caps/kernel/kernel.ts";
import type { ProcessCommand } from "../../caps/driver/messages.ts";
import type { ServiceLineEnds } from "../../caps/port/stream/service_line.ts";
import type { Driver } from "../driver.ts";
import { ProcessStarts } from "./process_start.ts";
import { ServiceProcess } from "./service_process.ts";

/** How often it is looked for what processes have printed: a read each. */
const LISTEN_MS = 100;

/** Serves them a little each turn. */
export class Processes implements Disposable {
  readonly #driver: Pick<Driver, "wake" | "watch">;
  readonly #all = new Map<PortId, ServiceProcess>();
  /** Why there is no process of a port. */
  readonly #failures = new Map<PortId, string>();
  readonly #starts = new ProcessStarts();
  /** When it is looked next for what they have printed. */
  #listensAtMs = 0;

  /** The NIC's driver waits for them too. */
  constructor(driver: Pick<Driver, "wake" | "watch">) {
    this.#driver = driver;
  }

  /** The process of a port. */
  get(id: PortId): ServiceProcess | undefined {
    return this.#all.get(id);
  }

  /**
   * Starts a process for the service at `id`. It does nothing before {@link begin}.
   * Returns undefined when it cannot be started: its service hears that then, and
   * nobody else is stopped by it.
   */
  spawn(
    id: PortId,
    command: ProcessCommand,
    options: {
      /** Submissions that may be unread. */
      readonly unreadMax: number;
      /** Told what it prints, line by line. */
      readonly onPrinted: (line: string) => void;
    },
  ): ServiceProcess | undefined {
    try {
      const process = new ServiceProcess({
        child: this.#starts.of(command, options.onPrinted),
        name: command.name,
        onWork: () => this.#driver.wake(),
        ...options,
      });
      this.#all.set(id, process);
      this.#watch();
      return process;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#failures.set(id, `its process cannot be started: ${why}`);
      return undefined;
    }
  }

  /** Tells the process of a port what it is, or its system why there is none. */
  begin(id: PortId, ends: ServiceLineEnds): void {
    const message = this.#failures.get(id);
    if (message !== undefined) ends.control.post({ kind: "failed", message });
    this.#all.get(id)?.begin(ends);
  }

  /** Kills the process of a port, if it has one. */
  end(id: PortId): void {
    this.#failures.delete(id);
    const process = this.#all.get(id);
    if (process === undefined) return;
    this.#all.delete(id);
    process[Symbol.dispose]();
    this.#watch();
  }

  /** Reads what they have written. Returns how often there was something. */
  receive(): number {
    let reads = 0;
    for (const process of this.#all.values()) reads += process.receive();
    return reads;
  }

  /** Writes what is for them. */
  flush(): void {
    for (const process of this.#all.values()) process.flush();
  }

  /** Passes on what they have printed, now and then. */
  listen(nowMs: number): void {
    if (nowMs < this.#listensAtMs) return;
    this.#listensAtMs = nowMs + LISTEN_MS;
    for (const process of this.#all.values()) process.listen(nowMs);
  }

  /** How long all of them can be left alone, at most `delayMs`. */
  sleepMs(delayMs: number, nowMs: number): number {
    let sleepMs = delayMs;
    for (const { wakeAtMs, stalled } of this.#all.values()) {
      sleepMs = Math.min(sleepMs, stalled ? 1 : wakeAtMs - nowMs);
    }
    return Math.max(0, sleepMs);
  }

  /** Kills all. */
  [Symbol.dispose](): void {
    for (const id of [...this.#all.keys()]) this.end(id);
    this.#starts[Symbol.dispose]();
  }

  #watch(): void {
    this.#driver.watch?.([...this.#all.values()].map(({ output }) => output));
  }
}
