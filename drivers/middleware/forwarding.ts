/** What every middleware does but for its own part: it passes all on to the driver behind it. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Batch } from "../../caps/memory/memory.ts";
import type {
  KernelMapChange,
  KernelProgram,
  SocketFilter,
} from "../../caps/driver/program.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";

/**
 * A driver around another, which it owns. Can do what that one can: `classify`,
 * `changeFlows`, `admit`, `watch` and `waitHere` are absent where they are absent there.
 */
export abstract class ForwardingDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly classify?: (program: KernelProgram) => void;
  readonly changeFlows?: (changes: readonly KernelMapChange[]) => void;
  readonly admit?: (filter: SocketFilter) => void;
  readonly watch?: (descriptors: readonly number[]) => void;
  readonly waitHere?: (delayMs: number) => void;
  /** The driver behind this one. */
  protected readonly inner: Driver;

  /** Owns `inner` from now on; `mode` replaces what that says of itself. */
  constructor(inner: Driver, mode = inner.info.mode) {
    this.inner = inner;
    // What of it changes changes here, too.
    this.info = Object.create(inner.info, {
      mode: { value: mode, enumerable: true },
    });
    this.pages = inner.pages;
    if (inner.classify !== undefined) {
      this.classify = (program) => inner.classify!(program);
    }
    if (inner.changeFlows !== undefined) {
      this.changeFlows = (changes) => inner.changeFlows!(changes);
    }
    if (inner.admit !== undefined) {
      this.admit = (filter) => inner.admit!(filter);
    }
    if (inner.watch !== undefined) {
      this.watch = (descriptors) => inner.watch!(descriptors);
    }
    if (inner.waitHere !== undefined) {
      this.waitHere = (delayMs) => this.waitOnThread(delayMs);
    }
  }

  get ended(): boolean {
    return this.inner.ended;
  }

  get warning(): string | undefined {
    return this.inner.warning;
  }

  takeNotices(): readonly string[] {
    return this.inner.takeNotices?.() ?? [];
  }

  provide(frames: Uint32Array, count: number): number {
    return this.inner.provide(frames, count);
  }

  receive(batch: Batch, max: number): number {
    return this.inner.receive(batch, max);
  }

  transmit(batch: Batch, count: number): number {
    return this.inner.transmit(batch, count);
  }

  reclaim(frames: Uint32Array): number {
    return this.inner.reclaim(frames);
  }

  wait(delayMs: number): Promise<void> {
    return this.inner.wait(delayMs);
  }

  /** Waits on this thread; one that has work of its own before a wait does it first. */
  protected waitOnThread(delayMs: number): void {
    this.inner.waitHere!(delayMs);
  }

  wake(): void {
    this.inner.wake();
  }

  counters(): Counts {
    return this.inner.counters();
  }

  [Symbol.dispose](): void {
    this.inner[Symbol.dispose]();
  }
}
