/** A driver service and its NIC in a worker, at work whenever there is something to do. */

import { setImmediate } from "node:timers/promises";
import type {
  DriverCounts,
  DriverOrder,
  DriverReport,
} from "../../../caps/driver/messages.ts";
import { openPacketMemory } from "../../../caps/memory/memory.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import type { Delivery } from "../../../caps/port/records.ts";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import { PAUSE_MS_MAX } from "../../../drivers/service/penalty.ts";
import { DriverService } from "../../../drivers/service/service.ts";
import { takeNow } from "../../../drivers/service/start.ts";
import { MappedPages } from "../../../drivers/sys/mapped_pages.ts";
import { StallingDriver } from "../stalling_driver.ts";
import { takeSent } from "../seen.ts";
import { writeFrame } from "../universe.ts";
import { CountedPort } from "./counted_port.ts";
import { serve } from "./remote.ts";

/** A game's beginning. */
interface Beginning {
  readonly orders: MessagePort;
  readonly memory: WebAssembly.Memory;
  readonly frameCount: number;
  /** Whether pages are the frames themselves. */
  readonly mapped: boolean;
}

/** Messages that others have posted, all of which are to be taken. */
interface Posted {
  readonly orders: number;
  readonly holders: ReadonlyMap<number, number>;
}

/** Messages that were posted to them, by when there was nothing left to do. */
interface Answered {
  readonly reports: number;
  readonly holders: ReadonlyMap<number, number>;
}

/** How long nothing is waited for. */
const IDLE_MS = 1000;

/** One game's driver. */
class Game {
  readonly service: DriverService;
  readonly nic: StallingDriver;
  readonly far: WireEnd;
  readonly orders: CountedPort<DriverReport, DriverOrder>;
  readonly holders = new Map<number, CountedPort<Delivery, unknown>>();
  /** Called after a turn in which there was nothing to do. */
  idle: (() => void) | undefined;
  failure: unknown;
  #over = false;
  #turnMs = 0;

  constructor({ orders, memory, frameCount, mapped }: Beginning) {
    const packets = openPacketMemory(memory, frameCount);
    const [near, far] = makeWire({ frameBytesMax: 1514, queueFrames: 16 });
    this.far = far;
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    this.nic = new StallingDriver(
      { memory: packets, end: near, mac },
      mapped ? { pages: (memory) => new MappedPages(memory) } : {},
    );
    this.orders = new CountedPort(fromMessagePort(orders, { takeNow }));
    this.service = new DriverService({
      driver: this.nic,
      memory: packets,
      orders: this.orders,
      onCutOff: (port) => this.failure = new Error(`${port} was cut off`),
      // Whoever presented a void tag is served again by the next turn.
      nowMs: () => (this.#turnMs += PAUSE_MS_MAX),
    });
    this.#run().catch((error) => this.failure = error);
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      if (this.service.turn() > 0) {
        await setImmediate();
        continue;
      }
      this.idle?.();
      // Somebody who waits for the end of a pause does so in turns.
      if (this.idle !== undefined) await setImmediate();
      else await this.service.wait(IDLE_MS);
    }
    this.service[Symbol.dispose]();
  }

  /** Resolves when all of `posted` is taken, and nothing is left to do. */
  settle({ orders, holders }: Posted): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.idle = () => {
        if (this.failure !== undefined) return reject(this.failure);
        if (this.orders.taken < orders) return;
        for (const [port, count] of holders) {
          if (this.holders.get(port)!.taken < count) return;
        }
        this.idle = undefined;
        const posted = [...this.holders].map(([port, { posted }]) =>
          [port, posted] as const
        );
        resolve({ reports: this.orders.posted, holders: new Map(posted) });
      };
      if (this.failure !== undefined) reject(this.failure);
      this.service.wake();
    });
  }

  end(): void {
    this.#over = true;
    this.service.wake();
  }
}

/** What it does when it is told to. */
class DriverPart {
  #game: Game | undefined;

  begin(beginning: Beginning): void {
    this.#game?.end();
    this.#game = new Game(beginning);
  }

  attach({ port, data }: { port: number; data: MessagePort }): void {
    const counted = new CountedPort<Delivery, unknown>(
      fromMessagePort(data, { takeNow }),
    );
    this.#game!.holders.set(port, counted);
    this.#game!.service.attach(port, counted);
  }

  detach(port: number): void {
    this.#game!.holders.delete(port);
    this.#game!.service.detach(port);
  }

  receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): void {
    for (const { frame, serial } of frames) {
      const bytes = writeFrame(frame, serial);
      if (!this.#game!.far.send(bytes, 0, bytes.length)) {
        throw new Error("the wire is full");
      }
    }
  }

  setFrameBytesMax(frameBytesMax: number): void {
    this.#game!.nic.setFrameBytesMax(frameBytesMax);
  }

  stall(stalled: boolean): void {
    this.#game!.nic.stalled = stalled;
  }

  settle(posted: Posted): Promise<Answered> {
    return this.#game!.settle(posted);
  }

  /** What it has counted, and what came out at the far end since the last look. */
  see(_: null): { counts: DriverCounts; sent: string[] } {
    const { service } = this.#game!;
    service.check();
    return { counts: service.counts(), sent: takeSent(this.#game!) };
  }
}

export type { DriverPart };

serve(new DriverPart());
