/**
 * A capability in the hands of the program itself: its packets by `for await`,
 * and frames sent under it.
 */

import type { CapabilityAccount } from "../../caps/driver/accounts.ts";
import { ARRIVAL_TURNS, type Port } from "../../caps/port/port.ts";
import { RecordWalk } from "../../caps/port/record_walk.ts";
import {
  type Delivery,
  INLINE,
  INLINE_BYTES_MAX,
  postRecords,
  type Submission,
} from "../../caps/port/records.ts";
import { DOORBELL, type TrustedAccess } from "../../caps/port/trusted_ring.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { afterEvents } from "../runtime/event_turn.ts";
import { Sending } from "./sending.ts";
import { TrustedPackets } from "./trusted_packets.ts";

/** One packet, as it was on the wire. */
export interface Packet {
  /** The whole frame. It is the reader's until the next packet is asked for; then its memory is used again. */
  readonly bytes: Uint8Array;
}

/** The things of the system that a receiver needs. */
export interface ReceiverParts {
  /** To the driver service. It takes what has arrived at once (`takeNow`). */
  readonly port: Port<Submission | null, Delivery | null>;
  /** For one that is trusted with packet memory. */
  readonly trusted?: TrustedAccess | undefined;
  /** The capability that packets come under, and are sent under. */
  readonly capability: Capability;
  /** Asks what it counted so far. */
  readonly account: () => Promise<CapabilityAccount>;
  /** Ends the capability: once this resolves, the driver posts nothing more. */
  readonly revoke: () => Promise<void>;
  /** Has the driver take what was posted to it last, and let go of its end of the port. */
  readonly detach: () => void;
}

/**
 * Holds one capability. Reading slower than packets come costs nobody else
 * anything: once its pages and byte strings are all unread, its packets are
 * dropped, and counted on its account.
 */
export class Receiver implements AsyncIterable<Packet>, AsyncDisposable {
  #parts: ReceiverParts;
  #trusted: TrustedPackets | undefined;
  #ended = false;
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();
  #sending: Sending;
  #reading: Reading | undefined;
  #closing: Promise<void> | undefined;

  /** Holds `parts.capability`. The system makes it: `System.open()`. */
  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#sending = new Sending(parts);
    this.#trusted = trustedPacketsOf(parts);
    parts.port.onReady = () => this.#arrived.resolve();
  }

  /**
   * Goes on under another capability: the NIC was opened again, and what was held
   * of it before is void. The system does this.
   */
  reconnect(parts: ReceiverParts): void {
    if (this.#closing !== undefined) {
      parts.revoke().then(parts.detach, parts.detach);
      parts.port[Symbol.dispose]();
      return;
    }
    this.#parts.port[Symbol.dispose]();
    this.#reading = undefined;
    this.#parts = parts;
    this.#sending = new Sending(parts);
    this.#trusted = trustedPacketsOf(parts);
    parts.port.onReady = () => this.#arrived.resolve();
    this.#arrived.resolve();
  }

  /** No packet will ever come again: loops over them end. The system does this. */
  end(): void {
    this.#ended = true;
    this.#arrived.resolve();
  }

  /**
   * The packets, in order, until the receiver is closed or the system has failed
   * for good. One reader at a time. When the NIC's driver is started again, they
   * go on after a gap, in which what arrives is lost. Leaving the loop keeps the capability: the next loop goes on where this one
   * was left.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, void> {
    while (this.#closing === undefined) {
      const packet = this.#next();
      if (packet !== undefined) {
        yield packet;
        continue;
      }
      if (this.#ended) return;
      if (this.#trusted?.sleep() === false) continue;
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
  }

  /**
   * Sends a frame under the capability. It goes out only if the capability's
   * sending grant matches it; what does not is dropped and counted.
   *
   * What is sent in one turn goes together, at the end of the turn.
   *
   * @returns false when it was not taken: the receiver is closed, or as much as
   * it may have under way has not gone out yet.
   * @throws {RangeError} when the frame is longer than a byte string takes.
   */
  send(frame: Uint8Array): boolean {
    if (frame.length > INLINE_BYTES_MAX) {
      throw new RangeError(
        `send: the frame has ${frame.length} bytes; at most ${INLINE_BYTES_MAX} fit`,
      );
    }
    return this.#closing === undefined && this.#sending.add(frame);
  }

  /**
   * What the capability counted so far: packets, bytes, pages, and what was
   * dropped, by reason.
   *
   * @throws when the receiver is closed, or is while it is asked.
   */
  account(): Promise<CapabilityAccount> {
    return this.#parts.account();
  }

  /**
   * Gives the capability up, and everything that was not read back. A loop over
   * the packets ends; the packet that it had last is gone.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#arrived.resolve();
    const { port, revoke, detach } = this.#parts;
    this.#sending.flush();
    try {
      await revoke();
    } finally {
      this.#giveBackAll();
      // What the event loop has taken off the port already comes as events.
      for (let turn = 0; turn < ARRIVAL_TURNS; turn++) {
        await new Promise<void>(afterEvents);
        this.#giveBackAll();
      }
      this.#trusted?.giveBackAll();
      detach();
      port[Symbol.dispose]();
    }
  }

  /** Gives back what is read, and what has arrived since. */
  #giveBackAll(): void {
    this.#giveBack();
    for (
      let rest = this.#sending.take();
      rest !== undefined;
      rest = this.#sending.take()
    ) {
      this.#reading = new Reading(rest);
      this.#giveBack();
    }
  }

  /** The next packet that is here. What was read to its end is given back. */
  #next(): Packet | undefined {
    for (;;) {
      const bytes = this.#reading?.next();
      if (bytes !== undefined) return { bytes };
      this.#giveBack();
      const delivery = this.#sending.take();
      if (delivery === undefined) {
        const shared = this.#trusted?.next();
        return shared && { bytes: shared };
      }
      this.#reading = new Reading(delivery);
    }
  }

  #giveBack(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    this.#reading = undefined;
    reading.walk.emptyAll();
    postRecords(this.#parts.port, reading.delivery);
  }
}

function trustedPacketsOf(
  { port, trusted }: ReceiverParts,
): TrustedPackets | undefined {
  return trusted && new TrustedPackets(trusted, () => port.post(DOORBELL));
}

/** A delivery, read packet by packet. */
class Reading {
  readonly delivery: Delivery;
  readonly walk: RecordWalk;

  constructor(delivery: Delivery) {
    this.delivery = delivery;
    this.walk = new RecordWalk(delivery.records, delivery.count);
  }

  /** The next packet's bytes, where they lie; undefined after the last. */
  next(): Uint8Array | undefined {
    const { walk, walk: { view } } = this;
    if (!walk.next()) return undefined;
    const start = view.start(walk.at);
    const length = view.length(walk.at);
    const page = view.page(walk.at);
    return page === INLINE
      ? view.bytes.subarray(walk.at + start, walk.at + start + length)
      : new Uint8Array(this.delivery.pages[page]!, start, length);
  }
}
