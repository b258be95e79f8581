/** Writes what crosses a NIC, both ways, to a capture file. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Batch, PacketMemory } from "../../caps/memory/memory.ts";
import type {
  KernelMapChange,
  KernelProgram,
  SocketFilter,
} from "../../caps/driver/program.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";
import { type CaptureOutput, createCaptureFile } from "../capture/file.ts";
import { emptyPacket } from "../capture/packet.ts";

/** What is captured, and where to. */
export interface CaptureOptions {
  /** Where the driver's frames lie. */
  readonly memory: PacketMemory;
  /**
   * The file, from `createCaptureFile`; the driver owns it from now on. Only
   * pcapng tells the two ways apart.
   */
  readonly output: CaptureOutput;
  /** Microseconds since 1970-01-01 UTC; the process's own clock if not given. */
  readonly now?: () => number;
}

/**
 * The same driver, with every packet that is received or taken for sending
 * written to a file as well, in batches and at the latest when it waits. A file
 * that cannot be written any more ends the capture, never the traffic:
 * `capture-lost` counts what is not in it.
 */
export function captureDriver(driver: Driver, options: CaptureOptions): Driver {
  return new CapturingDriver(driver, options);
}

/**
 * The same with a file that is created at `path`; `driver` itself when there
 * is no path.
 * @throws {Error} that names the file when it cannot be created; `driver` is
 * closed then.
 */
export function withCapture(
  driver: Driver,
  memory: PacketMemory,
  path: string | undefined,
): Driver {
  if (path === undefined) return driver;
  try {
    return captureDriver(driver, { memory, output: createCaptureFile(path) });
  } catch (error) {
    driver[Symbol.dispose]();
    throw error;
  }
}

class CapturingDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly classify?: (program: KernelProgram) => void;
  readonly changeFlows?: (changes: readonly KernelMapChange[]) => void;
  readonly admit?: (filter: SocketFilter) => void;
  readonly #driver: Driver;
  readonly #bytes: Uint8Array;
  readonly #file: CaptureOutput;
  readonly #now: () => number;
  readonly #packet = emptyPacket();
  /** Packets that the writer has taken and not yet handed on. */
  #pending = 0;
  #written = 0;
  #lost = 0;
  #failed = false;
  #closed = false;

  constructor(driver: Driver, options: CaptureOptions) {
    this.#file = options.output;
    this.#driver = driver;
    this.info = driver.info;
    this.pages = driver.pages;
    if (driver.classify !== undefined) {
      this.classify = (program) => driver.classify!(program);
    }
    if (driver.changeFlows !== undefined) {
      this.changeFlows = (changes) => driver.changeFlows!(changes);
    }
    if (driver.admit !== undefined) {
      this.admit = (filter) => driver.admit!(filter);
    }
    this.#bytes = options.memory.bytes;
    this.#now = options.now ?? wallClock;
  }

  get ended(): boolean {
    return this.#driver.ended;
  }

  get warning(): string | undefined {
    return this.#driver.warning;
  }

  provide(frames: Uint32Array, count: number): number {
    return this.#driver.provide(frames, count);
  }

  receive(batch: Batch, max: number): number {
    const count = this.#driver.receive(batch, max);
    if (count > 0) this.#write(batch, count, 1);
    return count;
  }

  transmit(batch: Batch, count: number): number {
    const taken = this.#driver.transmit(batch, count);
    // Nobody writes to a frame before it is reclaimed: it is still as it was.
    if (taken > 0) this.#write(batch, taken, 2);
    return taken;
  }

  #write(batch: Batch, count: number, direction: 1 | 2): void {
    if (this.#failed) {
      this.#lost += count;
      return;
    }
    const packet = this.#packet;
    const nowUs = this.#now();
    packet.seconds = Math.floor(nowUs / 1e6);
    packet.nanoseconds = Math.floor(nowUs - packet.seconds * 1e6) * 1000;
    packet.bytes = this.#bytes;
    packet.direction = direction;
    try {
      for (let i = 0; i < count; i++) {
        packet.start = batch.offset[i]!;
        packet.length = batch.length[i]!;
        packet.originalLength = packet.length;
        this.#pending++;
        this.#file.writer.write(packet);
      }
    } catch {
      this.#stop();
    }
  }

  #flush(): void {
    if (this.#failed) return;
    try {
      this.#file.writer.flush();
      this.#written += this.#pending;
      this.#pending = 0;
    } catch {
      this.#stop();
    }
  }

  #stop(): void {
    this.#failed = true;
    this.#lost += this.#pending;
    this.#pending = 0;
  }

  reclaim(frames: Uint32Array): number {
    return this.#driver.reclaim(frames);
  }

  wait(delayMs: number): Promise<void> {
    this.#flush();
    return this.#driver.wait(delayMs);
  }

  wake(): void {
    this.#driver.wake();
  }

  counters(): Counts {
    return {
      ...this.#driver.counters(),
      "capture-written": this.#written,
      "capture-lost": this.#lost,
    };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#driver[Symbol.dispose]();
    this.#flush();
    try {
      this.#file[Symbol.dispose]();
    } catch {
      this.#stop();
    }
  }
}

function wallClock(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
