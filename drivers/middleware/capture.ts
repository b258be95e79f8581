/** Writes what crosses a NIC, both ways, to a capture file. */

import type { Counts } from "../../caps/driver/accounts.ts";
import { ArrivalTimes } from "../../caps/memory/arrival_time.ts";
import type { Batch, PacketMemory } from "../../caps/memory/memory.ts";
import { type CaptureOutput, createCaptureFile } from "../capture/file.ts";
import { emptyPacket } from "../capture/packet.ts";
import { setTime, WallClock } from "../capture/wall_clock.ts";
import type { Driver } from "../driver.ts";
import { ForwardingDriver } from "./forwarding.ts";

/** How a capture is written. */
export interface CaptureOptions {
  /** Where the driver's frames lie. */
  readonly memory: PacketMemory;
  /**
   * The file, from `createCaptureFile`; the driver owns it from now on. Only
   * pcapng tells the two ways apart.
   */
  readonly output: CaptureOutput;
  /** Microseconds since 1970-01-01 UTC; the process's own clock by default. */
  readonly now?: () => number;
}

/**
 * Puts a capture around `driver`: every packet that is received or taken for
 * sending is written to a file as well, in batches and at the latest when the
 * driver waits. A file that cannot be written any more ends the capture, never
 * the traffic: `capture-lost` counts what is not in it.
 */
export function captureDriver(driver: Driver, options: CaptureOptions): Driver {
  return new CapturingDriver(driver, options);
}

/**
 * Captures to a file that is created at `path`. Returns `driver` itself when
 * there is no path.
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

class CapturingDriver extends ForwardingDriver {
  readonly #bytes: Uint8Array;
  /** Where received packets say when they arrived; otherwise they have the time of reading. */
  readonly #times: ArrivalTimes | undefined;
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
    super(driver);
    this.#file = options.output;
    this.#bytes = options.memory.bytes;
    this.#times = driver.info.arrivalTimes === true
      ? new ArrivalTimes(options.memory.bytes.buffer)
      : undefined;
    this.#now = options.now ?? clockNow();
  }

  override receive(batch: Batch, max: number): number {
    const count = super.receive(batch, max);
    if (count > 0) this.#write(batch, count, 1);
    return count;
  }

  override transmit(batch: Batch, count: number): number {
    const taken = super.transmit(batch, count);
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
    setTime(packet, this.#now());
    const times = direction === 1 ? this.#times : undefined;
    packet.bytes = this.#bytes;
    packet.direction = direction;
    try {
      for (let i = 0; i < count; i++) {
        packet.start = batch.offset[i]!;
        packet.length = batch.length[i]!;
        packet.originalLength = packet.length;
        if (times !== undefined) {
          packet.seconds = times.secondsOf(packet.start);
          packet.nanoseconds = times.nanosecondsOf(packet.start);
        }
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

  override wait(delayMs: number): Promise<void> {
    this.#flush();
    return super.wait(delayMs);
  }

  protected override waitOnThread(delayMs: number): void {
    this.#flush();
    super.waitOnThread(delayMs);
  }

  override counters(): Counts {
    return {
      ...super.counters(),
      "capture-written": this.#written,
      "capture-lost": this.#lost,
    };
  }

  override [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    super[Symbol.dispose]();
    this.#flush();
    try {
      this.#file[Symbol.dispose]();
    } catch {
      this.#stop();
    }
  }
}

function clockNow(): () => number {
  const clock = new WallClock();
  return () => clock.nowUs();
}
