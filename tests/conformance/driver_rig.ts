/**
 * A driver under test, its far side, and a ledger that knows who holds each
 * frame. Whatever the driver does against the rules of drivers/driver.ts is an
 * assertion here, so that every schedule of calls is a test.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type Batch,
  BATCH_MAX,
  batchAt,
  frameAt,
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../../drivers/driver.ts";

/** A driver with somebody at the far side of its wire. */
export interface DriverRig extends AsyncDisposable {
  /** What is tested. */
  readonly driver: Driver;
  /** Where its frames lie. */
  readonly memory: PacketMemory;
  /** Has the far side send `frames`: the next ones of the rig's arrivals. */
  inject(frames: readonly Uint8Array[]): void | Promise<void>;
  /** Takes what has reached the far side since the last call; later is fine. */
  collect(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}

/** What a driver counted as lost, of what should have been received and sent. */
export interface Lost {
  /** Frames that should have been received. */
  readonly received: number;
  /** Frames that should have been sent. */
  readonly sent: number;
}

/** IEEE 802's first EtherType for local experiments: all of the suite's frames. */
const ETHER_TYPE = 0x88b5;

/** The smallest frame that can carry a sequence number. */
export const TEST_FRAME_BYTES_MIN = 18;

/**
 * A broadcast frame of `length` bytes that says which one it is:
 *
 * ```
 * 0             6             12     14          18
 * ├ destination ┼ source ─────┼ type ┼ sequence ─┼ bytes that follow from it …
 * ```
 */
export function testFrame(sequence: number, length: number): Uint8Array {
  const frame = new Uint8Array(length);
  frame.fill(0xff, 0, 6);
  frame.set([0x02, 0x73, 0x70, 0, 0, 1], 6);
  const view = new DataView(frame.buffer);
  view.setUint16(12, ETHER_TYPE);
  view.setUint32(14, sequence);
  let state = (sequence * 2654435761 + length) >>> 0 || 1;
  for (let i = TEST_FRAME_BYTES_MIN; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    frame[i] = state;
  }
  return frame;
}

/** Whether a frame is the suite's own: others may share the wire. */
function isTestFrame(frame: Uint8Array): boolean {
  return frame.length >= TEST_FRAME_BYTES_MIN &&
    frame[12] === ETHER_TYPE >> 8 && frame[13] === (ETHER_TYPE & 255);
}

/** The sum of the counters that name losses: all `rx-` and `tx-` but packets and bytes. */
export function lostByName(counters: Counts): Lost {
  let received = 0;
  let sent = 0;
  for (const [name, count] of Object.entries(counters)) {
    if (/-(packets|bytes)$/.test(name)) continue;
    if (name.startsWith("rx-")) received += count;
    if (name.startsWith("tx-")) sent += count;
  }
  return { received, sent };
}

type Party = "caller" | "receiving" | "sending" | "guard";
interface Held {
  readonly frame: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const GUARD_BYTE = 0xa5;
const UNTOUCHED = 0xdeadbeef;
/** One wait of settling, in milliseconds. */
const SETTLE_WAIT_MS = 10;

/** The caller's side of a driver, with an account of every frame. */
export class Caller {
  /** The suite's frames that were received, in order. */
  readonly received: Uint8Array[] = [];
  /** The suite's frames that the driver took for sending, in order. */
  readonly sent: Uint8Array[] = [];
  /** The suite's frames that the far side got, in order. */
  readonly collected: Uint8Array[] = [];
  readonly #rig: DriverRig;
  readonly #party: Party[];
  readonly #idle: number[] = [];
  readonly #held: Held[] = [];
  readonly #arriving: Batch;
  readonly #leaving: Batch;
  #counters: Counts = {};

  /** Takes the rig's frames; each 16th is a guard that must not be written to. */
  constructor(rig: DriverRig) {
    this.#rig = rig;
    this.#arriving = batchAt(rig.memory, RECEIVE_BATCH_OFFSET);
    this.#leaving = batchAt(rig.memory, SEND_BATCH_OFFSET);
    this.#party = Array.from({ length: rig.memory.frameCount }, (_, frame) => {
      if (frame % 16 === 7) {
        this.#frameBytes(frame).fill(GUARD_BYTE);
        return "guard";
      }
      this.#idle.push(frame);
      return "caller";
    });
  }

  /** Frames that the caller holds and that carry nothing. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /** Received packets that the caller has not reclaimed. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** Provides up to `count` frames; returns how many the driver took. */
  provide(count: number): number {
    const frames = Uint32Array.from(this.#idle.slice(0, count));
    const before = frames.slice();
    const taken = this.#rig.driver.provide(frames, frames.length);
    checkCount("provide", taken, frames.length);
    deepStrictEqual(frames, before, "provide() wrote to its argument");
    for (const frame of this.#idle.splice(0, taken)) {
      this.#move(frame, "caller", "receiving");
    }
    return taken;
  }

  /** Receives up to `max` packets and keeps them; returns how many came. */
  receive(max: number): number {
    const batch = this.#arriving;
    batch.offset.fill(UNTOUCHED);
    batch.length.fill(UNTOUCHED);
    batch.tagLow.fill(UNTOUCHED);
    const count = this.#rig.driver.receive(batch, max);
    checkCount("receive", count, Math.min(max, BATCH_MAX));
    for (let i = count; i < BATCH_MAX; i++) {
      ok(
        batch.offset[i] === UNTOUCHED && batch.length[i] === UNTOUCHED &&
          batch.tagLow[i] === UNTOUCHED,
        `receive() wrote beyond the ${count} packets that it returned`,
      );
    }
    for (let i = 0; i < count; i++) {
      this.#take(batch.offset[i]!, batch.length[i]!);
      ok(batch.tagLow[i] !== UNTOUCHED, "receive() left a tag as it was");
    }
    return count;
  }

  #take(offset: number, length: number): void {
    const frame = frameAt(offset);
    const end = frameOffset(frame + 1);
    ok(length > 0, "an empty packet was received");
    ok(
      offset + length <= end,
      `a packet of ${length} bytes at ${offset} leaves frame ${frame}, which ends at ${end}`,
    );
    ok(
      length <= this.#rig.driver.info.frameBytesMax,
      `a packet of ${length} bytes: more than frameBytesMax`,
    );
    this.#move(frame, "receiving", "caller");
    const bytes = this.#bytesAt(offset, length);
    this.#held.push({ frame, offset, bytes });
    if (isTestFrame(bytes)) this.received.push(bytes);
  }

  /** Reclaims up to `count` received packets, which nothing has touched since. */
  release(count: number): void {
    for (const held of this.#held.splice(0, count)) {
      this.#checkHeld(held);
      this.#idle.push(held.frame);
    }
  }

  /** Sends `packets` from idle frames, each at another place in its page. */
  transmit(packets: readonly Uint8Array[]): number {
    const count = Math.min(packets.length, this.#idle.length, BATCH_MAX);
    const offsets = packets.slice(0, count).map((packet, i) => {
      const frame = this.#idle[i]!;
      const room = PAGE_BYTES - packet.length;
      const offset = frameOffset(frame) + (packet.length * 37 + i) % (room + 1);
      this.#rig.memory.bytes.set(packet, offset);
      return offset;
    });
    const taken = this.#send(offsets, packets.slice(0, count));
    this.#idle.splice(0, taken);
    return taken;
  }

  /** Sends up to `count` received packets from where they lie. */
  forward(count: number): number {
    const held = this.#held.slice(0, Math.min(count, BATCH_MAX));
    for (const one of held) this.#checkHeld(one);
    const taken = this.#send(
      held.map((one) => one.offset),
      held.map((one) => one.bytes),
    );
    this.#held.splice(0, taken);
    return taken;
  }

  #send(offsets: readonly number[], packets: readonly Uint8Array[]): number {
    const batch = this.#leaving;
    batch.offset.set(offsets);
    batch.length.set(packets.map((packet) => packet.length));
    const taken = this.#rig.driver.transmit(batch, packets.length);
    checkCount("transmit", taken, packets.length);
    deepStrictEqual([...batch.offset.slice(0, offsets.length)], [...offsets]);
    for (let i = 0; i < taken; i++) {
      this.#move(frameAt(offsets[i]!), "caller", "sending");
      if (isTestFrame(packets[i]!)) this.sent.push(packets[i]!);
    }
    return taken;
  }

  /** Takes back at most `max` frames whose packets were sent. */
  reclaim(max: number): number {
    const frames = new Uint32Array(max + 1).fill(UNTOUCHED);
    const count = this.#rig.driver.reclaim(frames.subarray(0, max));
    checkCount("reclaim", count, max);
    ok(frames.subarray(count).every((frame) => frame === UNTOUCHED));
    for (const frame of frames.subarray(0, count)) {
      this.#move(frame, "sending", "caller");
      this.#idle.push(frame);
    }
    return count;
  }

  /** Takes what has reached the far side. */
  async collect(): Promise<void> {
    this.collected.push(...(await this.#rig.collect()).filter(isTestFrame));
  }

  /** Frames that went out and have not come back. */
  get sendingCount(): number {
    return this.#party.filter((party) => party === "sending").length;
  }

  /** Works on until `done`, but waits for at most `limitMs` altogether. */
  async settle(limitMs: number, done: () => boolean): Promise<void> {
    for (let waitedMs = 0; waitedMs <= limitMs; waitedMs += SETTLE_WAIT_MS) {
      this.release(Infinity);
      this.provide(Infinity);
      while (this.receive(BATCH_MAX) > 0) {
        this.release(Infinity);
        this.provide(Infinity);
      }
      while (this.reclaim(64) > 0);
      await this.collect();
      if (done() && this.sendingCount === 0) return;
      await this.#rig.driver.wait(SETTLE_WAIT_MS);
    }
  }

  /** What must hold at any moment. */
  check(): void {
    for (const held of this.#held) this.#checkHeld(held);
    for (let frame = 7; frame < this.#party.length; frame += 16) {
      ok(
        this.#frameBytes(frame).every((byte) => byte === GUARD_BYTE),
        `the driver wrote to frame ${frame}, which it never had`,
      );
    }
    const counters = this.#rig.driver.counters();
    for (const [name, count] of Object.entries(counters)) {
      ok(
        Number.isSafeInteger(count) && count >= (this.#counters[name] ?? 0),
        `counter ${name} is ${count} after ${this.#counters[name]}`,
      );
    }
    this.#counters = counters;
  }

  #checkHeld(held: Held): void {
    deepStrictEqual(
      this.#bytesAt(held.offset, held.bytes.length),
      held.bytes,
      `frame ${held.frame} changed while the caller held it`,
    );
  }

  #move(frame: number, from: Party, to: Party): void {
    strictEqual(
      this.#party[frame],
      from,
      `frame ${frame} went from "${from}" to "${to}"`,
    );
    this.#party[frame] = to;
  }

  #bytesAt(offset: number, length: number): Uint8Array {
    return new Uint8Array(
      this.#rig.memory.bytes.subarray(offset, offset + length),
    );
  }

  #frameBytes(frame: number): Uint8Array {
    const start = frameOffset(frame);
    return this.#rig.memory.bytes.subarray(start, start + PAGE_BYTES);
  }
}

function checkCount(call: string, count: number, max: number): void {
  ok(
    Number.isInteger(count) && count >= 0 && count <= max,
    `${call}() returned ${count} where at most ${max} were possible`,
  );
}
