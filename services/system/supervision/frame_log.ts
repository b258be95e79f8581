/** Logs of what interposers see, as capture files. */

import {
  type CaptureOutput,
  createCaptureFile,
} from "../../../drivers/capture/file.ts";
import { emptyPacket } from "../../../drivers/capture/packet.ts";
import { setTime, WallClock } from "../../../drivers/capture/wall_clock.ts";
import type { Frame } from "../../core/core.ts";
import type { Instant } from "../../runtime/clock.ts";
import type { FrameSink } from "../../interpose/log.ts";
import type { Way } from "../../interpose/rewrite.ts";

/** A capture file that frames are written to. One that cannot be written any more ends the log, never the traffic. */
export class FrameLog implements FrameSink, Disposable {
  readonly #file: CaptureOutput;
  readonly #packet = emptyPacket();
  readonly #clock: WallClock;
  #closed = false;

  /**
   * Creates the file, in place of one that is there; `clock` tells the frames' times.
   * @throws {Error} that names the file when it cannot be created.
   */
  constructor(path: string, clock: WallClock = new WallClock()) {
    this.#file = createCaptureFile(path);
    this.#clock = clock;
  }

  write(frame: Frame, way: Way, now: Instant): boolean {
    if (this.#closed) return false;
    const packet = this.#packet;
    setTime(packet, this.#clock.atUs(now / 1000));
    packet.bytes = frame.bytes;
    packet.start = frame.start;
    packet.length = frame.length;
    packet.originalLength = frame.length;
    packet.direction = way === "in" ? 1 : 2;
    return this.#attempt(() => this.#file.writer.write(packet));
  }

  flush(): void {
    if (!this.#closed) this.#attempt(() => this.#file.writer.flush());
  }

  /** Writes what was gathered, and closes the file. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attempt(() => this.#file[Symbol.dispose]());
  }

  #attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch {
      this.#closed = true;
      return false;
    }
  }
}
