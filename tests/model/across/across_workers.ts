/**
 * The model's system with threads between its parts: each holder in a confined
 * worker, the driver service in another, the filter service here.
 */

import { makePacketMemory, wasmPagesOf } from "../../../caps/memory/memory.ts";
import { setImmediate } from "node:timers/promises";
import type {
  DriverOrder,
  DriverReport,
} from "../../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../../caps/kernel/kernel.ts";
import {
  fromMessagePort,
  makePipe,
  type Port,
} from "../../../caps/port/port.ts";
import { TagGenerator } from "../../../caps/kernel/tag.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { grantAlgebra } from "../../../services/filter/siblings/algebra.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import type { FilterReply } from "../../../services/filter/service/messages.ts";
import { FilterService } from "../../../services/filter/service/service.ts";
import { VirtualClock } from "../../services/runtime/virtual_clock.ts";
import { PAGE_FRAMES, SCALES } from "../nics.ts";
import { delegateRequest, deriveRequest, TICK_MS } from "../requests.ts";
import { nameGot, seenOf } from "../seen.ts";
import type {
  Asked,
  AskedDelegation,
  AskedRecord,
  CapabilitySystem,
  LastMessage,
  Seen,
} from "../system.ts";
import type { Ending } from "../terms.ts";
import { CountedPort } from "./counted_port.ts";
import type { DriverPart } from "./driver_worker.ts";
import type { HolderPart } from "./holder_worker.ts";
import { Remote } from "./remote.ts";

const SCALE = SCALES.pages;

/** Held here: it must outlive every page of it, whichever worker has that. */
const memory = makePacketMemory(PAGE_FRAMES);

/** Rounds after which something must have come to rest. */
const ROUNDS_MAX = 1000;

/** The workers, which outlive a game: to start one takes longer than to play one. */
export class Workers implements Disposable {
  readonly driver: Remote<DriverPart> = new Remote<DriverPart>(
    new URL("./driver_worker.ts", import.meta.url),
    { ffi: true },
  );
  readonly #idle: Remote<HolderPart>[] = [];
  readonly #all = new Set<Remote<HolderPart>>();

  /** One for a holder. */
  take(): Remote<HolderPart> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const worker = new Remote<HolderPart>(
      new URL("./holder_worker.ts", import.meta.url),
      "none",
    );
    this.#all.add(worker);
    return worker;
  }

  /** Returns a worker to those that wait for the next game. */
  giveBack(worker: Remote<HolderPart>): void {
    this.#idle.push(worker);
  }

  /** Terminates a worker's thread. */
  crash(worker: Remote<HolderPart>): void {
    this.#all.delete(worker);
    worker.terminate();
  }

  [Symbol.dispose](): void {
    this.driver.terminate();
    for (const worker of this.#all) worker.terminate();
  }
}

/** One holder, seen from here. */
interface Attached {
  readonly worker: Remote<HolderPart>;
  /** The filter service's end of its port. */
  readonly requests: CountedPort<FilterReply, unknown>;
  /** Messages that it was told to post there. */
  asked: number;
  /** Messages that it has posted to the driver. */
  posted: number;
  /** The frames of its pages, by number. */
  pages: ReadonlyMap<number, number>;
}

/** A system for one game. */
export class AcrossWorkers implements CapabilitySystem, AsyncDisposable {
  readonly #workers: Workers;
  readonly #kernel: CapabilityKernel<Grant>;
  readonly #filter: FilterService;
  readonly #orders: CountedPort<DriverOrder, DriverReport>;
  readonly #system: Port<unknown, FilterReply>;
  readonly #holders = new Map<number, Attached>();
  readonly #tags: Capability[] = [];
  readonly #bySlot = new Map<number, number>();
  readonly #frames = new Map<number, number>();
  readonly #clock = new VirtualClock();
  #delivered: string[] = [];
  #nextId = 0;

  private constructor(workers: Workers, orders: MessagePort) {
    this.#workers = workers;
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
    this.#orders = new CountedPort(fromMessagePort(orders));
    this.#filter = new FilterService({
      kernel: this.#kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: this.#orders,
      clock: this.#clock,
      onCutOff: (port) => {
        throw new Error(`holder ${port} was cut off`);
      },
    });
    const [system, forFilter] = makePipe<unknown, FilterReply>();
    this.#system = system;
    this.#filter.attach(0, forFilter);
  }

  /** Begins a game. */
  static async begin(workers: Workers): Promise<AcrossWorkers> {
    const { port1, port2 } = new MessageChannel();
    await workers.driver.call("begin", {
      orders: port2,
      memory: memory.wasm,
      frameCount: memory.frameCount,
      mapped: Deno.build.os === "linux",
    }, [port2]);
    return new AcrossWorkers(workers, port1);
  }

  async attach(port: number): Promise<void> {
    const data = new MessageChannel();
    const requests = new MessageChannel();
    const worker = this.#workers.take();
    const counted = new CountedPort<FilterReply, unknown>(
      fromMessagePort(requests.port2),
    );
    this.#filter.attach(port, counted);
    const given = { data: data.port1, requests: requests.port1 };
    await Promise.all([
      worker.call("attach", given, [given.data, given.requests]),
      this.#workers.driver.call("attach", { port, data: data.port2 }, [
        data.port2,
      ]),
    ]);
    this.#holders.set(port, {
      worker,
      requests: counted,
      asked: 0,
      posted: 0,
      pages: new Map(),
    });
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

  async end(
    op: Ending,
    port: number,
    cap: number,
  ): Promise<string | undefined> {
    const reply = await this.#ask(port, { op, capability: this.#tag(cap) });
    return "refused" in reply ? reply.refused : undefined;
  }

  async elapse(ticks: number): Promise<void> {
    this.#clock.advance(ticks * TICK_MS);
    await this.#settle();
  }

  async crash(port: number, last?: LastMessage): Promise<void> {
    if (last !== undefined) await this.submit(port, last.cap, last.records);
    this.#workers.crash(this.#holders.get(port)!.worker);
    this.#holders.delete(port);
    await this.#workers.driver.call("detach", port);
    await this.#until(this.#filter.detach(port));
  }

  async receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): Promise<void> {
    await this.#workers.driver.call("receive", frames);
    await this.#settle();
  }

  async submit(
    port: number,
    cap: number,
    records: readonly AskedRecord[],
  ): Promise<void> {
    const holder = this.#holders.get(port)!;
    const frames = new Map<number, number>();
    const foreign = new Map<number, number>();
    for (const record of records) {
      if (record.kind === "forge") {
        foreign.set(record.how, foreignFrame(holder, record.how));
      } else if ("page" in record) {
        frames.set(record.page!, this.#frames.get(record.page!)!);
      }
    }
    const tag = this.#tag(cap);
    holder.posted = await holder.worker.call("submit", {
      tag,
      records,
      frames,
      foreign,
    });
    await this.#settle();
  }

  async stall(stalled: boolean): Promise<void> {
    await this.#workers.driver.call("stall", stalled);
    await this.#settle();
  }

  async setFrameBytesMax(frameBytesMax: number): Promise<void> {
    await this.#workers.driver.call("setFrameBytesMax", frameBytesMax);
  }

  async garbage(
    port: number,
    to: "filter" | "driver",
    which: number,
  ): Promise<void> {
    const holder = this.#holders.get(port)!;
    if (to === "filter") holder.asked++;
    holder.posted = await holder.worker.call("garbage", { to, which });
    await this.#settle();
  }

  async see(): Promise<Seen> {
    const { counts, sent } = await this.#workers.driver.call("see", null);
    const delivered = this.#delivered;
    this.#delivered = [];
    return seenOf({
      counts,
      refusals: this.#filter.refusals(),
      bySlot: this.#bySlot,
      delivered,
      sent,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#filter[Symbol.dispose]();
    for (const { worker } of this.#holders.values()) {
      await worker.call("leave", null);
      this.#workers.giveBack(worker);
    }
  }

  #tag(cap: number): bigint {
    return this.#tags[cap] ?? this.#tags.at(-1)! ^ 1n;
  }

  #new(port: number, reply: FilterReply): string | undefined {
    if ("refused" in reply) return reply.refused;
    if (!("capability" in reply)) throw new Error("no answer to the question");
    const tag = reply.capability as Capability;
    const { slot } = this.#kernel.present(port, tag)!;
    this.#bySlot.set(slot, this.#tags.length);
    this.#tags.push(tag);
  }

  async #ask(port: number, asked: object): Promise<FilterReply> {
    const request = { ...asked, id: ++this.#nextId };
    if (port === 0) {
      this.#system.post(request);
      return await this.#until(this.#systemReply());
    }
    const holder = this.#holders.get(port)!;
    holder.asked++;
    return await this.#until(holder.worker.call("ask", request));
  }

  async #systemReply(): Promise<FilterReply> {
    for (;;) {
      const reply = this.#system.take();
      if (reply !== undefined) return reply;
      await setImmediate();
    }
  }

  /** Waits for it; the clock goes on when all others have come to rest. */
  async #until<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const finish = () => void (done = true);
    promise.then(finish, finish);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await this.#settle();
      if (done) return await promise;
      this.#clock.advance(1);
    }
    throw new Error("the filter service does not answer");
  }

  /** Waits until all messages have been taken, and no more are posted. */
  async #settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const posted = this.#posted();
      const { reports, holders } = await this.#workers.driver.call(
        "settle",
        posted,
      );
      await Promise.all(
        [...holders].map(([port, count]) => this.#take(port, count)),
      );
      while (!this.#filterHasTaken(reports)) await setImmediate();
      await setImmediate();
      const now = this.#posted();
      if (
        now.orders === posted.orders &&
        [...now.holders].every(([port, n]) => posted.holders.get(port) === n)
      ) return;
    }
    throw new Error("the system never comes to rest");
  }

  #posted(): { orders: number; holders: Map<number, number> } {
    const holders = [...this.#holders].map(([port, { posted }]) =>
      [port, posted] as const
    );
    return { orders: this.#orders.posted, holders: new Map(holders) };
  }

  #filterHasTaken(reports: number): boolean {
    return this.#orders.taken >= reports &&
      [...this.#holders.values()].every(({ requests, asked }) =>
        requests.taken >= asked
      );
  }

  async #take(port: number, deliveries: number): Promise<void> {
    const holder = this.#holders.get(port)!;
    const taken = await holder.worker.call("take", deliveries);
    holder.posted = taken.posted;
    holder.pages = taken.pages;
    for (const [serial, frame] of taken.pages) this.#frames.set(serial, frame);
    for (const got of taken.got) {
      const cap = this.#tags.indexOf(got.tag as Capability);
      this.#delivered.push(nameGot(cap, got));
    }
  }
}

function foreignFrame({ pages }: Attached, how: number): number {
  const own = new Set(pages.values());
  const frames = [...Array(PAGE_FRAMES).keys(), 0xffffffff];
  const others = frames.filter((frame) => !own.has(frame));
  return others[how % others.length]!;
}
