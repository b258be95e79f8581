/**
 * The real filter service, driver service and emulated NIC in this thread, with
 * holders that the moves play.
 */

import { strictEqual } from "node:assert/strict";
import type { Capability } from "../../caps/kernel/capability.ts";
import {
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import type { FilterReply } from "../../services/filter/service/messages.ts";
import { count } from "../../services/interpose/count.ts";
import { interpose } from "../../services/interpose/interpose.ts";
import type { InterposedPort } from "../../services/interpose/layer.ts";
import { VirtualClock } from "../services/runtime/virtual_clock.ts";
import { GARBAGE } from "./garbage.ts";
import { type Got, Holder } from "./holder.ts";
import { Life } from "./life.ts";
import { type Nic, PAGE_FRAMES, type Scale, SCALES } from "./nics.ts";
import { delegateRequest, deriveRequest, TICK_MS } from "./requests.ts";
import { nameGot, seenOf, takeSent } from "./seen.ts";
import type {
  Asked,
  AskedDelegation,
  AskedRecord,
  CapabilitySystem,
  LastMessage,
  Seen,
} from "./system.ts";
import type { Ending } from "./terms.ts";
import { writeFrame } from "./universe.ts";

/**
 * Made once: what one game left in it belongs to no capability of the next. A
 * quarter of the frames is kept for what holders send, the NIC has the others:
 * here nobody is short of either for as long as quotas hold. What becomes segments
 * keeps its own frame until they are made.
 */
const memories: Readonly<Record<Nic, PacketMemory>> = {
  pages: makePacketMemory(PAGE_FRAMES),
  // What is sent without a page of its own takes single frames.
  extents: memoryOfExtents(),
  // Where a NIC has said what packets are, one that says nothing would seem to.
  offloads: memoryOfExtents(),
};

function memoryOfExtents(): PacketMemory {
  // What is sent without a page of its own takes single frames.
  return makePacketMemory(SCALES.extents.quotaPages + 1, PAGE_FRAMES);
}

/** Turns after which something must have come to rest. */
const TURNS_MAX = 1000;

/** Turns that an answer may take where no timer has to fire. */
const TURNS_BEFORE_TIME = 40;

/** Turns in which a request gets to the filter service, and its order to the driver. */
const TURNS_TO_ORDER = 20;

/** A holder at the driver service. */
interface DataPort {
  readonly holder: Holder;
  /** The port itself, where that of the holder has something interposed. */
  readonly port: Port<unknown, Delivery>;
  /** What is interposed. */
  readonly interposed?: InterposedPort;
}

interface Attached {
  readonly requests: Port<unknown, FilterReply>;
  /** The system itself has none. */
  readonly data?: DataPort;
}

/** A system for one game. */
export class InProcess implements CapabilitySystem, Disposable {
  readonly #memory: PacketMemory;
  readonly #scale: Scale;
  readonly #attached = new Map<number, Attached>();
  /** By number. */
  #tags: Capability[] = [];
  /** The number of the capability that has, or had, a slot. */
  readonly #bySlot = new Map<number, number>();
  /** The frame that each numbered packet came in. */
  readonly #frames = new Map<number, number>();
  readonly #clock = new VirtualClock();
  #life: Life;
  #delivered: Got[] = [];
  #nextId = 0;
  /** Whether the driver is busy elsewhere. */
  #held = false;
  /** Numbers are given in the order of requests. */
  #numbered: Promise<unknown> = Promise.resolve();
  /** A tag of the life before. */
  #stale: Capability | undefined;

  constructor(nic: Nic = "pages") {
    this.#memory = memories[nic];
    this.#scale = SCALES[nic];
    this.#life = this.#begin();
  }

  #begin(): Life {
    const life = new Life(this.#memory, this.#scale, this.#clock);
    this.#tags = [life.kernel.makeRoot(0, this.#scale.quotaPages)];
    const [requests, forFilter] = makePipe<unknown, FilterReply>();
    life.filter.attach(0, forFilter);
    this.#attached.set(0, { requests });
    return life;
  }

  restart(): void {
    this.#stale = this.#tags.at(-1);
    this.#life[Symbol.dispose]();
    this.#attached.clear();
    this.#bySlot.clear();
    this.#frames.clear();
    this.#life = this.#begin();
  }

  attach(port: number): void {
    const { filter, driver } = this.#life;
    const [requests, forFilter] = makePipe<unknown, FilterReply>();
    filter.attach(port, forFilter);
    const [data, forDriver] = makePipe<unknown, Delivery>();
    driver.attach(port, forDriver);
    this.#attached.set(port, { requests, data: this.#dataPort(port, data) });
  }

  /** Every second holder has something interposed, and does not notice. */
  #dataPort(id: number, port: Port<unknown, Delivery>): DataPort {
    const pageBytes = this.#scale.framePages * PAGE_BYTES;
    if (id % 2 === 0) return { holder: new Holder(port, pageBytes), port };
    const interposed = interpose(
      port as Port<Submission, Delivery>,
      [count()],
      { makeClock: () => new VirtualClock() },
    );
    const its = interposed as Port<unknown, Delivery>;
    return { holder: new Holder(its, pageBytes), port, interposed };
  }

  derive(
    port: number,
    cap: number,
    asked: Asked,
  ): Promise<string | undefined> {
    const request = deriveRequest(this.#tag(cap), asked);
    return this.#mint(port, request, asked.to);
  }

  delegate(
    port: number,
    cap: number,
    asked: AskedDelegation,
  ): Promise<string | undefined> {
    const request = delegateRequest(this.#tag(cap), asked);
    return this.#mint(port, request, asked.to);
  }

  #mint(
    port: number,
    request: object,
    to: number,
  ): Promise<string | undefined> {
    const reply = this.#ask(port, request);
    const before = this.#numbered;
    const minted = before.then(async () => this.#new(to, await reply));
    this.#numbered = minted;
    return minted;
  }

  #new(port: number, reply: FilterReply): string | undefined {
    if ("refused" in reply) return reply.refused;
    if (!("capability" in reply)) throw new Error("no answer to the question");
    const tag = reply.capability as Capability;
    // It may have been revoked before its answer came.
    const node = this.#life.kernel.present(port, tag);
    if (node !== undefined) this.#bySlot.set(node.slot, this.#tags.length);
    this.#tags.push(tag);
    return undefined;
  }

  elapse(ticks: number): void {
    this.#clock.advance(ticks * TICK_MS);
    this.#settle();
  }

  async end(
    op: Ending,
    port: number,
    cap: number,
  ): Promise<string | undefined> {
    const reply = await this.#ask(port, { op, capability: this.#tag(cap) });
    return "refused" in reply ? reply.refused : undefined;
  }

  async crash(port: number, last?: LastMessage): Promise<void> {
    const { data } = this.#attached.get(port)!;
    if (last !== undefined) this.#post(data!, last.cap, last.records);
    this.#attached.delete(port);
    data!.interposed?.giveBack();
    this.#life.driver.detach(port);
    let done = false;
    void this.#life.filter.detach(port).then(() => done = true);
    await this.#until(() => done);
  }

  async hold(held: boolean): Promise<void> {
    if (held && !this.#held) {
      // A round of installing may be under way still.
      await this.#turns(TURNS_TO_ORDER);
      this.#settle();
      await this.#turns(TURNS_TO_ORDER);
    }
    this.#held = held;
    if (held) await this.#turns(TURNS_TO_ORDER);
    else this.#settle();
  }

  async #turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await Promise.resolve();
  }

  receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): void {
    for (const { frame, serial } of frames) {
      const bytes = writeFrame(frame, serial);
      strictEqual(this.#life.far.send(bytes, 0, bytes.length), true);
    }
    this.#settle();
  }

  submit(port: number, cap: number, records: readonly AskedRecord[]): void {
    this.#post(this.#attached.get(port)!.data!, cap, records);
    this.#settle();
  }

  #post(
    { holder }: DataPort,
    cap: number,
    records: readonly AskedRecord[],
  ): void {
    holder.submit(this.#tag(cap), records, {
      frameOf: (serial) => this.#frames.get(serial)!,
      foreignFrame: (how) => this.#foreignFrame(holder, how),
    });
  }

  stall(stalled: boolean): void {
    this.#life.nic.stalled = stalled;
    this.#settle();
  }

  setFrameBytesMax(frameBytesMax: number): void {
    const { nic } = this.#life;
    if (this.#scale.offloads) nic.setWireBytesMax(frameBytesMax);
    else nic.setFrameBytesMax(frameBytesMax);
  }

  async garbage(
    port: number,
    to: "filter" | "driver",
    which: number,
  ): Promise<void> {
    const { requests, data } = this.#attached.get(port)!;
    const messages = GARBAGE[to];
    const message = messages[which % messages.length]!();
    (to === "filter" ? requests : data!.port).post(message);
    // A pipe tells of what has come in a microtask.
    await Promise.resolve();
    this.#settle();
  }

  see(): Seen {
    const { driver, filter } = this.#life;
    driver.check();
    // A packet may have come before the answer that says what its tag is.
    const delivered = this.#delivered.map((got) =>
      nameGot(this.#tags.indexOf(got.tag as Capability), got)
    );
    this.#delivered = [];
    return seenOf({
      counts: driver.counts(),
      refusals: filter.refusals(),
      bySlot: this.#bySlot,
      delivered,
      sent: takeSent(this.#life),
    });
  }

  [Symbol.dispose](): void {
    this.#life[Symbol.dispose]();
  }

  #tag(cap: number): bigint {
    const tag = this.#tags[cap];
    // As near to a real one as a guess can be, or one that was real.
    return tag ?? this.#stale ?? this.#tags.at(-1)! ^ 1n;
  }

  async #ask(port: number, request: object): Promise<FilterReply> {
    const { requests } = this.#attached.get(port)!;
    const id = ++this.#nextId;
    requests.post({ ...request, id });
    let reply: FilterReply | undefined;
    await this.#until(() => (reply = requests.take()) !== undefined);
    strictEqual(reply!.id, id);
    return reply!;
  }

  /** Turns until it is so. */
  async #until(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if (!this.#held) this.#life.driver.turn();
      if (done()) return;
      await Promise.resolve();
      // Presenters of void tags wait.
      if (turn > TURNS_BEFORE_TIME) this.#clock.advance(1);
    }
    throw new Error("the filter service does not answer");
  }

  /** Turns until the driver has nothing left to do and holders have taken all that is theirs. */
  #settle(): void {
    if (this.#held) return;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if (this.#life.driver.turn() === 0) return;
      for (const { data } of this.#attached.values()) {
        if (data !== undefined) this.#take(data.holder);
      }
    }
    throw new Error("the driver service never comes to rest");
  }

  #take(holder: Holder): void {
    this.#delivered.push(...holder.take());
    for (const [serial, { frame }] of holder.pages) {
      this.#frames.set(serial, frame);
    }
  }

  #foreignFrame({ pages }: Holder, how: number): number {
    const own = new Set([...pages.values()].map(({ frame }) => frame));
    const frames = [...Array(this.#memory.frameCount).keys(), 0xffffffff];
    const others = frames.filter((frame) => !own.has(frame));
    return others[how % others.length]!;
  }
}
