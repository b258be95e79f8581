/** The data channel of a service in a process, without a process: two streams of bytes, cut into pieces. */

import { Channels } from "../../caps/port/stream/channels.ts";
import { DriverEnd } from "../../caps/port/stream/driver_end.ts";
import { HolderEnd } from "../../caps/port/stream/holder_end.ts";
import { DATA_KINDS } from "../../caps/port/stream/message.ts";
import { IN_FLIGHT_MAX } from "../../caps/port/records.ts";

/** Bytes that cross at once: less than a page, so that nearly all messages are cut. */
const PIECE_BYTES = 1500;

/** A channel, both its ends: what is posted at one arrives at the other before anything else happens. */
export class StreamPair {
  readonly holder: HolderEnd;
  readonly driver: DriverEnd;
  readonly #toHolder: Channels;
  readonly #toDriver: Channels;
  #moving = false;
  #read = 0;

  constructor() {
    const toHolder = new Channels({
      dataKinds: DATA_KINDS.fromHolder,
      opens: false,
    });
    const toDriver = new Channels({
      dataKinds: DATA_KINDS.fromDriver,
      opens: true,
    });
    this.driver = new DriverEnd({
      writer: toHolder.writer,
      readByHolder: () => this.#read,
      unreadMax: IN_FLIGHT_MAX,
    });
    this.holder = new HolderEnd(toDriver.writer);
    toHolder.data = this.driver;
    toDriver.data = this.holder;
    this.#toHolder = toHolder;
    this.#toDriver = toDriver;
    for (const { writer } of [toHolder, toDriver]) {
      writer.onBegin = () => this.#begin();
    }
  }

  /** The process has ended: what it had comes back. */
  end(): void {
    this.driver.recall();
  }

  #begin(): void {
    if (this.#moving) return;
    this.#moving = true;
    queueMicrotask(() => {
      this.#move(this.#toHolder, this.#toDriver);
      this.#move(this.#toDriver, this.#toHolder);
      this.#moving = false;
    });
  }

  /** Moves all that `from` has to `to`. */
  #move(from: Channels, to: Channels): void {
    while (!from.writer.empty) {
      from.writer.flush({
        write: (bytes, start, end) => {
          const taken = Math.min(PIECE_BYTES, end - start);
          this.#give(to, bytes.subarray(start, start + taken));
          return taken;
        },
      });
    }
  }

  #give(to: Channels, piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      to.receive({
        read: (into, start, end) => {
          const count = Math.min(end - start, piece.length - at);
          into.set(piece.subarray(at, at + count), start);
          at += count;
          if (to === this.#toDriver) this.#read += count;
          return count;
        },
      });
    }
  }
}
