/**
 * The real filter service, driver service and emulated NIC in this thread, with
 * holders that the moves play.
 */

import { makePacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import { strictEqual } from "node:assert/strict";
import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import type { Delivery } from "../../caps/port/records.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { StallingDriver } from "./stalling_driver.ts";
import { makeWire, type WireEnd } from "../../drivers/emulated/wire.ts";
import { PAUSE_MS_MAX } from "../../drivers/service/penalty.ts";
import { DriverService } from "../../drivers/service/service.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import type { FilterReply } from "../../services/filter/service/messages.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import { SCALE } from "./game.ts";
import type {
  Asked,
  AskedDelegation,
  AskedRecord,
  CapabilitySystem,
  Seen,
} from "./system.ts";
import type { Ending } from "./terms.ts";
import { VirtualClock } from "../services/runtime/virtual_clock.ts";
import { Holder } from "./holder.ts";
import { GARBAGE } from "./garbage.ts";
import { delegateRequest, deriveRequest, TICK_MS } from "./requests.ts";
import { seenOf } from "./seen.ts";
import { nameOf, writeFrame } from "./universe.ts";

/**
 * A quarter of the frames is kept for what holders send, the NIC has the others:
 * here nobody is short of either for as long as quotas hold.
 */
const FRAMES = SCALE.quotaPages * 4;

/** Made once: what one game left in it belongs to no capability of the next. */
const memory = makePacketMemory(FRAMES);

/** Turns after which something must have come to rest. */
const TURNS_MAX = 1000;

/** Turns that an answer may take where no timer has to fire. */
const TURNS_BEFORE_TIME = 40;

interface Attached {
  readonly requests: Port<unknown, FilterReply>;
  /** The system itself has none. */
  readonly holder?: Holder;
}

/** A system for one game. */
export class InProcess implements CapabilitySystem, Disposable {
  readonly #kernel: CapabilityKernel<
    Parameters<typeof grantAlgebra.overlaps>[0]
  >;
  readonly #filter: FilterService;
  readonly #driver: DriverService;
  readonly #nic: StallingDriver;
  readonly #far: WireEnd;
  readonly #attached = new Map<number, Attached>();
  /** By number. */
  readonly #tags: Capability[] = [];
  /** The number of the capability that has, or had, a slot. */
  readonly #bySlot = new Map<number, number>();
  /** The frame that each numbered packet came in. */
  readonly #frames = new Map<number, number>();
  readonly #clock = new VirtualClock();
  #delivered: string[] = [];
  #turnMs = 0;
  #nextId = 0;

  constructor() {
    const [orders, forDriver] = makePipe<DriverOrder, DriverReport>();
    const [near, far] = makeWire({ frameBytesMax: 1514, queueFrames: 16 });
    this.#far = far;
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    this.#nic = new StallingDriver({ memory, end: near, mac });
    this.#driver = new DriverService({
      driver: this.#nic,
      memory,
      orders: forDriver,
      onCutOff: failCutOff,
      // Whoever presented a void tag is served again by the next turn: the
      // reference knows what is done, and not how soon.
      nowMs: () => (this.#turnMs += PAUSE_MS_MAX),
    });
    this.#kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => crypto.getRandomValues(out)),
      {
        capabilitiesMax: SCALE.capabilities,
        capabilitiesKept: SCALE.kept,
        depthMax: SCALE.depth,
      },
    );
    this.#tags.push(this.#kernel.makeRoot(0, SCALE.quotaPages));
    this.#filter = new FilterService({
      kernel: this.#kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: orders,
      clock: this.#clock,
      onCutOff: failCutOff,
    });
    this.attach(0);
  }

  attach(port: number): void {
    const [requests, forFilter] = makePipe<unknown, FilterReply>();
    this.#filter.attach(port, forFilter);
    if (port === 0) {
      this.#attached.set(port, { requests });
      return;
    }
    const [data, forDriver] = makePipe<unknown, Delivery>();
    this.#driver.attach(port, forDriver);
    this.#attached.set(port, { requests, holder: new Holder(data) });
  }

  async derive(
    port: number,
    cap: number,
    asked: Asked,
  ): Promise<string | undefined> {
    const request = deriveRequest(this.#tag(cap), asked);
    return this.#new(asked.to, await this.#ask(port, request));
  }

  async delegate(
    port: number,
    cap: number,
    asked: AskedDelegation,
  ): Promise<string | undefined> {
    const request = delegateRequest(this.#tag(cap), asked);
    return this.#new(asked.to, await this.#ask(port, request));
  }

  #new(port: number, reply: FilterReply): string | undefined {
    if ("refused" in reply) return reply.refused;
    if (!("capability" in reply)) throw new Error("no answer to the question");
    const tag = reply.capability as Capability;
    const { slot } = this.#kernel.present(port, tag)!;
    this.#bySlot.set(slot, this.#tags.length);
    this.#tags.push(tag);
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

  async crash(port: number): Promise<void> {
    this.#attached.delete(port);
    this.#driver.detach(port);
    let done = false;
    void this.#filter.detach(port).then(() => done = true);
    await this.#until(() => done);
  }

  receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): void {
    for (const { frame, serial } of frames) {
      const bytes = writeFrame(frame, serial);
      strictEqual(this.#far.send(bytes, 0, bytes.length), true);
    }
    this.#settle();
  }

  submit(port: number, cap: number, records: readonly AskedRecord[]): void {
    const { holder } = this.#attached.get(port)!;
    holder!.submit(this.#tag(cap), records, {
      frameOf: (serial) => this.#frames.get(serial)!,
      foreignFrame: (how) => foreignFrame(holder!, how),
    });
    this.#settle();
  }

  stall(stalled: boolean): void {
    this.#nic.stalled = stalled;
    this.#settle();
  }

  async garbage(
    port: number,
    to: "filter" | "driver",
    which: number,
  ): Promise<void> {
    const { requests, holder } = this.#attached.get(port)!;
    const messages = GARBAGE[to];
    const message = messages[which % messages.length]!();
    (to === "filter" ? requests : holder!.port).post(message);
    // A pipe tells of what has come in a microtask.
    await Promise.resolve();
    this.#settle();
  }

  see(): Seen {
    this.#driver.check();
    const delivered = this.#delivered;
    this.#delivered = [];
    return seenOf({
      counts: this.#driver.counts(),
      refusals: this.#filter.refusals(),
      bySlot: this.#bySlot,
      delivered,
      sent: this.#sent(),
    });
  }

  [Symbol.dispose](): void {
    this.#filter[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }

  #tag(cap: number): bigint {
    const tag = this.#tags[cap];
    // As near to a real one as a guess can be.
    return tag ?? this.#tags.at(-1)! ^ 1n;
  }

  async #ask(port: number, request: object): Promise<FilterReply> {
    const { requests } = this.#attached.get(port)!;
    requests.post({ ...request, id: ++this.#nextId });
    let reply: FilterReply | undefined;
    await this.#until(() => (reply = requests.take()) !== undefined);
    strictEqual(reply!.id, this.#nextId);
    return reply!;
  }

  /** Turns until it is so. */
  async #until(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      this.#driver.turn();
      if (done()) return;
      await Promise.resolve();
      // Presenters of void tags wait.
      if (turn > TURNS_BEFORE_TIME) this.#clock.advance(1);
    }
    throw new Error("the filter service does not answer");
  }

  /** Turns until the driver has nothing left to do and holders have taken all that is theirs. */
  #settle(): void {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if (this.#driver.turn() === 0) return;
      for (const { holder } of this.#attached.values()) {
        if (holder !== undefined) this.#take(holder);
      }
    }
    throw new Error("the driver service never comes to rest");
  }

  #take(holder: Holder): void {
    for (const { tag, name, form } of holder.take()) {
      const cap = this.#tags.indexOf(tag as Capability);
      this.#delivered.push(`${cap} ${name} ${form}`);
    }
    for (const [serial, { frame }] of holder.pages) {
      this.#frames.set(serial, frame);
    }
  }

  /** What has come out at the far end. */
  #sent(): string[] {
    const sent: string[] = [];
    for (let length = this.#far.peek(); length > 0; length = this.#far.peek()) {
      const bytes = new Uint8Array(length);
      this.#far.receive(bytes, 0);
      sent.push(nameOf(bytes));
    }
    return sent;
  }
}

function foreignFrame({ pages }: Holder, how: number): number {
  const own = new Set([...pages.values()].map(({ frame }) => frame));
  const frames = [...Array(FRAMES).keys(), 0xffffffff];
  const others = frames.filter((frame) => !own.has(frame));
  return others[how % others.length]!;
}

function failCutOff(port: number): never {
  throw new Error(`holder ${port} was cut off`);
}
