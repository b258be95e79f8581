/**
 * A holder without a port of messages: its code is called in the driver's own
 * thread, with each packet where it lies in packet memory.
 *
 * ```
 *             receive(frame), once a packet; endOfBatch(), once a batch
 *   driver ────────────────────────────────────────────────────────────► handler
 *          ◄────────────────────────────────────────────────────────────
 *             whether the frame is to be sent;  open(), send(), flush()
 * ```
 *
 * Such a holder is trusted with packet memory and with the driver's time. What it
 * says of a frame is checked all the same: a mistake costs nobody else a packet or
 * a page.
 */

import type { Frame } from "./frame.ts";

/** A holder's code. None of its functions throws. */
export interface DirectHandler {
  /** Handles one packet. Returns whether its frame, as it is now, is to be sent. */
  receive(frame: Frame): boolean;
  /** Called after the packets that came together. */
  endOfBatch(): void;
  /** Called when {@link DirectEnd.open} has refused, and has room again. */
  onRoom(): void;
}

/** What a holder in the driver's thread has of the driver. */
export interface DirectEnd {
  /** Has `handler` called from now on; without one, packets of the holder are dropped and counted. */
  serve(handler: DirectHandler | undefined): void;
  /** Names the capability that {@link open} sends under. */
  present(capability: bigint): void;
  /**
   * A frame of zeros to write up to `sizeBytes` into, `length` and `offload` 0; it
   * is one object, and what was opened before and not sent is taken back. Undefined
   * when there is no page for it now.
   */
  open(sizeBytes: number): Frame | undefined;
  /**
   * Sends the frame that {@link open} gave last, with the length and the offload
   * word that it now has.
   * @throws {Error} when there is none, or it is longer than was asked for.
   */
  send(): void;
  /** Has everything leave that was sent, and takes back what was opened and not sent. */
  flush(): void;
}
