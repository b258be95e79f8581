/**
 * The wire of a simulated world: what a station sends comes over its link to
 * every other one, a while later, with its faults.
 *
 * ```
 *   station ── emulated wire ──► its link ── faults ──► each other station
 * ```
 */

import { makeWire, type WireEnd } from "../../drivers/emulated/wire.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import type { FrameFault, FrameFaults } from "./faults.ts";
import type { Link } from "./link.ts";
import { nameFrame, type Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A frame that a station sent, or that came to it. */
export interface WireFrame {
  /** When, in microseconds since the beginning. */
  readonly atUs: Instant;
  /** Who sent it, or to whom it came. */
  readonly station: string;
  /** The frame. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Frames that wait at a station. */
const QUEUE_FRAMES = 256;

/** What a medium is made of. */
export interface MediumParts {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly faults: FrameFaults;
  /** The link of a station, made when it first sends. */
  readonly linkOf: (station: string) => Link;
}

/** A wire with any number of stations. */
export class Medium {
  readonly #parts: MediumParts;
  /** The medium's end of each station's wire, by name. */
  readonly #stations = new Map<string, WireEnd>();
  readonly #links = new Map<string, Link>();
  /** How many frames each has sent. */
  readonly #sent = new Map<string, number>();
  /** What was sent, before any fault. */
  readonly departed: WireFrame[] = [];
  /** What came to a station. */
  readonly arrived: WireFrame[] = [];
  /** The faults that befell a frame. */
  readonly befallen: FrameFault[] = [];

  /** No station is there yet. */
  constructor(parts: MediumParts) {
    this.#parts = parts;
  }

  /** A station's end of the wire; it leaves when it disposes of that. */
  join(name: string): WireEnd {
    const [near, far] = makeWire({ queueFrames: QUEUE_FRAMES });
    this.#stations.set(name, far);
    far.onArrival(() => {
      while (far.peek() > 0) {
        const bytes = new Uint8Array(far.peek());
        far.receive(bytes, 0);
        this.carry(name, bytes);
      }
    });
    return near;
  }

  /** The link that `station` sends over. */
  linkOf(station: string): Link {
    let link = this.#links.get(station);
    if (link === undefined) {
      link = this.#parts.linkOf(station);
      this.#links.set(station, link);
    }
    return link;
  }

  /** Takes a frame from station `from` to all others. */
  carry(from: string, bytes: Uint8Array<ArrayBuffer>): void {
    const { time, trace, faults } = this.#parts;
    const number = this.#sent.get(from) ?? 0;
    this.#sent.set(from, number + 1);
    this.departed.push({ atUs: time.now, station: from, bytes });
    trace.add(from, `sends #${number} ${nameFrame(bytes)}`);
    const arrivesAt = this.linkOf(from).take(bytes.length, time.now);
    if (arrivesAt === undefined) {
      return trace.add(
        "wire",
        `has no room in its queue for ${from} #${number}`,
      );
    }
    let carried = bytes;
    let lateUs = 0;
    const copies: number[] = [];
    let lost = false;
    for (const fault of faults.of(from, number, time.now)) {
      this.befallen.push(fault);
      trace.add("wire", `${wordsOf(fault)} (${from} #${number})`);
      if (fault.kind === "loss") lost = true;
      else if (fault.kind === "duplication") copies.push(fault.lateUs);
      else if (fault.kind === "reordering") lateUs += fault.lateUs;
      else carried = damaged(carried, fault);
    }
    if (lost) return;
    for (const copyUs of [0, ...copies]) {
      time.plan(
        arrivesAt + lateUs + copyUs,
        () => this.#deliver(from, number, carried),
      );
    }
  }

  #deliver(from: string, number: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { time, trace } = this.#parts;
    for (const [name, end] of this.#stations) {
      if (name === from) continue;
      if (!end.send(bytes, 0, bytes.length)) {
        trace.add(name, `has no ear or no room for ${from} #${number}`);
        continue;
      }
      this.arrived.push({ atUs: time.now, station: name, bytes });
      trace.add(name, `hears ${from} #${number} ${nameFrame(bytes)}`);
    }
  }
}

function damaged(
  bytes: Uint8Array<ArrayBuffer>,
  fault: Extract<FrameFault, { kind: "corruption" | "truncation" }>,
): Uint8Array<ArrayBuffer> {
  if (fault.kind === "truncation") {
    if (bytes.length === 1) return bytes;
    const gone = 1 + fault.bytes % (bytes.length - 1);
    return bytes.slice(0, bytes.length - gone);
  }
  const turned = bytes.slice();
  const bit = fault.bit % (8 * bytes.length);
  turned[bit >>> 3] = turned[bit >>> 3]! ^ 1 << (bit & 7);
  return turned;
}

function wordsOf(fault: FrameFault): string {
  switch (fault.kind) {
    case "loss":
      return "loses it";
    case "duplication":
      return `brings it again ${fault.lateUs} µs later`;
    case "reordering":
      return `brings it ${fault.lateUs} µs late`;
    case "corruption":
      return `turns a bit of it (${fault.bit})`;
    case "truncation":
      return `cuts it (${fault.bytes})`;
  }
}
