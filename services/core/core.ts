/**
 * A protocol core: a state machine without powers. Frames and the time come
 * in; frames and a next wake-up come out. It never awaits, never reads a clock,
 * never throws on bytes from the wire, so that the same code runs in a confined
 * worker, in the caller's process and in a simulation.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Frame } from "../../caps/port/frame.ts";
import type { Instant } from "../runtime/clock.ts";

export type { Frame };

/**
 * What became of a frame: `"handled"` (it was consumed), `"reply"` (it was
 * rewritten in place, `start` and `length` included, and is to be sent), or
 * dropped for a reason that is counted.
 */
export type Verdict = "handled" | "reply" | DropReason;

/** Why a frame was dropped: a short word after `drop:`. */
export type DropReason = `drop:${string}`;

/** Where a core puts frames that answer nothing. */
export interface Outbox {
  /**
   * A frame to write into, `length` and `offload` 0 and `capacity` at least
   * `sizeBytes`, which may be up to 65,504 for a super-packet. Undefined when
   * there is no room now: {@link Core.onRoom} is called when there is. The frame is
   * one object, given again and again.
   */
  open(sizeBytes: number): Frame | undefined;
  /** Sends the frame that {@link open} gave last, with the length and the offload word that it now has. */
  send(): void;
}

/** What became of another service. */
export interface ServiceNews {
  /** Name in the manifest. */
  readonly name: string;
  /** What it held is void, and what was agreed with it is forgotten, unless it is running. */
  readonly state: "running" | "restarting" | "failed";
}

/** A protocol core. */
export interface Core {
  /** Handles one frame. Returns what became of it. */
  receive(frame: Frame, now: Instant, out: Outbox): Verdict;
  /** Called when {@link wakeAt} has come. */
  wake(now: Instant, out: Outbox): void;
  /** When to call {@link wake} next; {@link NEVER} for only on input. */
  readonly wakeAt: Instant;
  /** Called once after a batch: the frames that came together, in one turn. What they add up to can be answered now. */
  endOfBatch?(now: Instant, out: Outbox): void;
  /** Called when {@link Outbox.open} has refused, and has room again. */
  onRoom?(now: Instant, out: Outbox): void;
  /** Called with the state of each service that the manifest has it watch: at first, and whenever it changes. */
  onNews?(peer: ServiceNews, now: Instant, out: Outbox): void;
  /** Counts of its own, by what was counted: `echoed`, `resolved`. */
  counters(): Counts;
}
