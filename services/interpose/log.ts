/** Shows what passes to a log. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { Frame } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";
import type { Way } from "./rewrite.ts";

/** Takes what passes; `drivers/pcap` writes it to a file. */
export interface FrameSink {
  /**
   * Takes a frame, whose bytes it copies.
   * @returns false when it is lost: the traffic goes on without it.
   */
  write(frame: Frame, way: Way, now: Instant): boolean;
  /** Hands on what was gathered. */
  flush(): void;
}

class Logger implements Interposer {
  readonly name = "log";
  readonly tally = new Tally();
  readonly #sink: FrameSink;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  deliver(frame: Frame, now: Instant): InterposerVerdict {
    return this.#write(frame, "in", now);
  }

  submit(frame: Frame, now: Instant): InterposerVerdict {
    return this.#write(frame, "out", now);
  }

  rest(): void {
    this.#sink.flush();
  }

  #write(frame: Frame, way: Way, now: Instant): InterposerVerdict {
    this.tally.add(this.#sink.write(frame, way, now) ? "logged" : "lost");
    return "pass";
  }
}

/** Shows each frame to `sink`, both ways: as the holder gets it, and as it sends it. */
export function log(sink: FrameSink): Interposer {
  return new Logger(sink);
}
