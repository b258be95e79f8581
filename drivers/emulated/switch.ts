/**
 * A learning switch between ends of wires (IEEE 802.1Q, section 8): it learns
 * from a frame's source behind which port that address is, and sends a frame to
 * the port of its destination alone; to all others where that is not known, and
 * for groups. One switch is a whole wire: there are no loops to guard against.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { setImmediate } from "node:timers";
import { MacTable } from "./mac_table.ts";
import { ETHERNET_FRAME_BYTES_MAX, type WireEnd } from "./wire.ts";

/** How a switch is made. */
export interface SwitchOptions {
  /** Addresses that it remembers; 1,024 by default. */
  readonly addressesMax?: number;
  /** How long it remembers one that is silent; five minutes by default, as in IEEE 802.1Q, table 8-6. */
  readonly ageMs?: number;
  /** Milliseconds of a monotonic clock; the process's own by default. */
  readonly nowMs?: () => number;
}

/** The most NICs on one wire. */
export const PORTS_MAX = 64;
/** Frames of one port before the next one's: no port has the switch to itself. */
const FRAMES_PER_TURN = 64;
/** Two addresses and a type. */
const HEADER_BYTES = 14;

/** A switch. It works in turns of the event loop, as long as there is something to do. */
export class Switch {
  readonly #ports = new Set<WireEnd>();
  readonly #table: MacTable<WireEnd>;
  readonly #nowMs: () => number;
  readonly #frame = new Uint8Array(ETHERNET_FRAME_BYTES_MAX);
  #due = false;
  readonly #counts = {
    "forwarded": 0,
    "flooded": 0,
    "filtered": 0,
    "too-short": 0,
  };

  /** Without ports. */
  constructor(options: SwitchOptions = {}) {
    const { addressesMax = 1024, ageMs = 300_000 } = options;
    this.#table = new MacTable(addressesMax, ageMs);
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** NICs on it. */
  get portCount(): number {
    return this.#ports.size;
  }

  /**
   * Has `end` as a port until it goes down, or {@link unplug}; it is the switch's from now on.
   * @throws {Error} when all ports are taken, or its frames are too large.
   */
  plug(end: WireEnd): void {
    if (this.#ports.size === PORTS_MAX) {
      throw new Error(`switch: all of its ${PORTS_MAX} ports are taken`);
    }
    if (end.frameBytesMax > ETHERNET_FRAME_BYTES_MAX) {
      throw new RangeError(
        `switch: frames of ${end.frameBytesMax} bytes; it carries at most ${ETHERNET_FRAME_BYTES_MAX}`,
      );
    }
    this.#ports.add(end);
    end.onArrival(() => this.#wake());
  }

  /** Takes a port's link down. */
  unplug(end: WireEnd): void {
    if (!this.#ports.delete(end)) return;
    this.#table.forget(end);
    end[Symbol.dispose]();
  }

  /** What it did with frames, and addresses that it remembers. */
  counters(): Counts {
    return { ...this.#counts, "addresses": this.#table.size };
  }

  #wake(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      if (this.turn()) this.#wake();
    });
  }

  /** Passes on some of what has arrived. @returns whether more is there. */
  turn(): boolean {
    const nowMs = this.#nowMs();
    let more = false;
    for (const port of [...this.#ports]) {
      for (let i = 0; i < FRAMES_PER_TURN && port.peek() > 0; i++) {
        this.#pass(port, nowMs);
      }
      if (port.peek() > 0) more = true;
      else if (port.ended) this.unplug(port);
    }
    for (const port of this.#ports) port.flush();
    return more;
  }

  #pass(from: WireEnd, nowMs: number): void {
    const frame = this.#frame;
    const length = from.receive(frame, 0);
    if (length < HEADER_BYTES) {
      this.#counts["too-short"]++;
      return;
    }
    // A group sends nothing; a frame that says so teaches nothing.
    if ((frame[6]! & 1) === 0) {
      this.#table.learn(addressAt(frame, 6), from, nowMs);
    }
    const to = (frame[0]! & 1) === 0
      ? this.#table.find(addressAt(frame, 0), nowMs)
      : undefined;
    if (to === from) this.#counts.filtered++;
    else if (to !== undefined) {
      to.send(frame, 0, length);
      this.#counts.forwarded++;
    } else {
      for (const port of this.#ports) {
        if (port !== from) port.send(frame, 0, length);
      }
      this.#counts.flooded++;
    }
  }
}

/** The Ethernet address at `at`, as a number of 48 bits. */
function addressAt(frame: Uint8Array, at: number): number {
  let address = 0;
  for (let i = 0; i < 6; i++) address = address * 256 + frame[at + i]!;
  return address;
}
