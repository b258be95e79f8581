/**
 * The driver service: the one loop between a NIC and the holders of
 * capabilities.
 *
 * ```
 *   NIC ──receive──► classify ──► deliver ──► holders
 *    ▲                                          │
 *    └──transmit── permit ◄──── submit ◄────────┘
 * ```
 */

import { given } from "../../caps/kernel/given.ts";
import type { Counts } from "../../caps/driver/accounts.ts";
import type {
  DriverCounts,
  DriverOrder,
  DriverReport,
  HolderLimits,
} from "../../caps/driver/messages.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import {
  type Batch,
  BATCH_MAX,
  batchAt,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import { PageLedger } from "../../caps/memory/page_ledger.ts";
import type { Port } from "../../caps/port/port.ts";
import type { DirectEnd } from "../../caps/port/direct_end.ts";
import type { Delivery } from "../../caps/port/records.ts";
import type { TrustedRings } from "../../caps/port/trusted_ring.ts";
import type { Driver } from "../driver.ts";
import { AccountTable } from "./account_table.ts";
import { Classifier } from "./classifier.ts";
import { Deliverer } from "./deliverer.ts";
import { DirectHolders } from "./direct_holders.ts";
import { Holder } from "./holder.ts";
import type { Account } from "./account.ts";
import { Processes } from "./processes.ts";
import { OrderTaker } from "./order_taker.ts";
import { PortReader } from "./port_reader.ts";
import type { NowMs } from "./meter.ts";
import { KernelClassifier } from "./kernel_classifier.ts";
import { LengthCheck } from "./length_check.ts";
import { Transmitter } from "./transmitter.ts";
import { SendBatch } from "./send_batch.ts";
import { Submitter } from "./submitter.ts";
import { Supply } from "./supply.ts";
import { Waiting } from "./waiting.ts";
import { TrustedReturns } from "./trusted_returns.ts";

export interface DriverServiceOptions {
  readonly driver: Driver;
  readonly memory: PacketMemory;
  /** To the filter service. Orders come in, reports go out. */
  readonly orders: Port<DriverReport, DriverOrder>;
  /** Called when a holder is cut off for what it sent, with what was refused by then. */
  readonly onCutOff: (port: PortId, refusals: Counts) => void;
  /** The clock of rate limits and pauses; by default the real one. */
  readonly nowMs?: NowMs;
}

const NO_NOTICES: readonly string[] = [];

/** Moves packets between one NIC and the holders of its capabilities. */
export class DriverService implements Disposable {
  readonly #driver: Driver;
  readonly #orders: Port<DriverReport, DriverOrder>;
  readonly #orderTaker: OrderTaker;
  readonly #nowMs: NowMs;
  readonly #turn: { nowMs: number };
  readonly #ledger: PageLedger;
  readonly #table: AccountTable;
  readonly #holders = new Map<PortId, Holder>();
  readonly processes: Processes;
  readonly #classifier: Classifier;
  readonly #lengths: LengthCheck;
  readonly #direct: DirectHolders;
  readonly #deliverer: Deliverer;
  readonly #transmitter: Transmitter;
  readonly #reader: PortReader;
  readonly #waiting: Waiting;
  readonly #batch: Batch;
  /** Frames on their way from the NIC: scratch, one batch long. */
  readonly #frames = new Uint32Array(BATCH_MAX);
  readonly #supply: Supply;
  readonly #kernelClassifier: KernelClassifier;
  #receiving = true;
  #receivedPackets = 0;
  #receivedBytes = 0;

  constructor(options: DriverServiceOptions) {
    const { driver, memory } = options;
    this.#driver = driver;
    this.#kernelClassifier = new KernelClassifier(driver);
    this.processes = new Processes(driver);
    this.#orders = options.orders;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#turn = { nowMs: this.#nowMs() };
    this.#ledger = new PageLedger(memory.frameCount, memory.extentCount);
    this.#table = new AccountTable(
      driver.info.frameBytesMax,
      (account) => this.#drained(account),
    );
    this.#supply = new Supply(driver, this.#ledger, this.#table.entitlements);
    this.#classifier = new Classifier(memory, this.#table.tags);
    this.#batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
    const common = {
      memory,
      ledger: this.#ledger,
      table: this.#table,
      turn: this.#turn,
    };
    this.#lengths = new LengthCheck({ ...common, info: driver.info });
    this.#transmitter = new Transmitter({ ...common, driver });
    const sends = new SendBatch({
      ...common,
      info: driver.info,
      transmitter: this.#transmitter,
      classifier: this.#classifier,
      batch: batchAt(memory, SEND_BATCH_OFFSET),
    });
    this.#direct = new DirectHolders({
      ...common,
      sends,
      reclaim: () => void this.#reclaim(),
      tick: () => this.#turn.nowMs = this.#nowMs(),
      wake: () => driver.wake(),
    });
    const { deliverer: direct } = this.#direct;
    this.#deliverer = new Deliverer({ ...common, driver, direct });
    this.#reader = new PortReader({
      holders: this.#holders,
      submitter: new Submitter({ ...common, sends, exchange: driver.pages }),
      trustedReturns: new TrustedReturns({ ...common, sends }),
      turn: this.#turn,
      reclaim: () => void this.#reclaim(),
      onCutOff: ({ id }, refusals) => {
        this.detach(id);
        options.onCutOff(id, refusals);
      },
    });
    this.#waiting = new Waiting({
      ...common,
      driver,
      holders: this.#holders,
      reader: this.#reader,
      direct: this.#direct,
      processes: this.processes,
    });
    this.#orders.onReady = () => driver.wake();
    this.#orderTaker = new OrderTaker({
      ...common,
      orders: this.#orders,
      holders: this.#holders,
      classifier: this.#classifier,
      kernelClassifier: this.#kernelClassifier,
      deliverer: this.#deliverer,
    });
  }

  /** One turn: everything that is ready, and no waiting. Returns how much was done. */
  turn(): number {
    this.#turn.nowMs = this.#nowMs();
    let done = this.#orderTaker.take() + this.#reclaim();
    if (this.#receiving) {
      this.#supply.provide();
      done += this.#receive();
    }
    done += this.processes.receive() + this.#reader.drainAll();
    this.#deliverer.flush();
    this.processes.flush();
    this.processes.listen(this.#turn.nowMs);
    return done;
  }

  /** Receives packets from now on, as from the beginning. */
  startReceiving(): void {
    this.#receiving = true;
    this.#driver.wake();
  }

  /** Receives nothing more: from now on only what holders have comes back, and what they send goes out. */
  stopReceiving(): void {
    this.#receiving = false;
  }

  /** Resolves when there may be something to do, at the latest after `delayMs`. */
  wait(delayMs: number): Promise<void> {
    return this.#waiting.aside(delayMs);
  }

  /** Waits on this thread; false, at once, where that would leave a holder waiting. */
  waitHere(delayMs: number): boolean {
    return this.#waiting.here(delayMs);
  }

  /** Ends a {@link wait} that is under way. */
  wake(): void {
    this.#driver.wake();
  }

  /** Connects a holder's port. Without `limits`, pages go to it alone; with `rings` it is trusted with packet memory. */
  attach(
    id: PortId,
    port: Port<Delivery | null, unknown>,
    limits: Partial<HolderLimits> = {},
    rings?: TrustedRings,
  ): void {
    port.onReady = () => this.#driver.wake();
    this.#add(new Holder(id, port, limits, rings));
  }

  /** Connects a holder whose code is called in this thread. Returns its end. */
  attachDirect(id: PortId): DirectEnd {
    const holder = Holder.called(id);
    this.#add(holder);
    return this.#direct.endOf(holder);
  }

  #add(holder: Holder): void {
    const { id } = holder;
    if (this.#holders.has(id)) {
      throw new Error(`driver service: port ${id} is attached already`);
    }
    this.#holders.set(id, holder);
    this.#waiting.holdersChanged();
    this.#driver.wake();
  }

  /**
   * Disconnects a holder that was terminated: its capabilities get nothing more, and
   * pages that it has are quarantined, since it may write to them still.
   */
  detach(id: PortId): void {
    this.processes.end(id);
    const holder = this.#holders.get(id);
    if (holder === undefined) return;
    // What it gave back before it was terminated is not lost with it.
    this.#reader.drain(holder);
    this.#deliverer.withdraw(holder);
    holder.direct?.sender?.close();
    for (const account of this.#table.accounts) {
      if (account?.holder !== holder) continue;
      this.#table.close(account);
      this.#ledger.quarantine(account.spec.slot);
    }
    this.#holders.delete(id);
    this.#waiting.holdersChanged();
    holder.port[Symbol.dispose]();
  }

  /** All counts so far. */
  counts(): DriverCounts {
    const { info } = this.#driver;
    return {
      name: info.name,
      mode: info.mode,
      ...given({
        kernelRefusal: this.#kernelClassifier.refusal,
        netmask: info.netmask,
      }),
      mac: info.mac,
      ended: this.#driver.ended,
      receivedPackets: this.#receivedPackets,
      receivedBytes: this.#receivedBytes,
      sentPackets: this.#transmitter.sentPackets,
      sentBytes: this.#transmitter.sentBytes,
      unclaimedPackets: this.#deliverer.unclaimedPackets,
      counters: this.#counters(),
      pages: this.#ledger.snapshot(),
      accounts: this.#table.counts(),
      endedAccounts: this.#table.endedCounts(),
      refusals: [...this.#holders.values()].map((holder) => ({
        port: holder.id,
        refusals: holder.refusals.snapshot(),
      })),
    };
  }

  /** What a person should know of the NIC, and was not taken yet. */
  takeNotices(): readonly string[] {
    return this.#driver.takeNotices?.() ?? NO_NOTICES;
  }

  /** Whether nothing will ever arrive again. */
  get ended(): boolean {
    return this.#driver.ended;
  }

  /** Whether every holder has answered everything that it was delivered. */
  get quiet(): boolean {
    for (const holder of this.#holders.values()) {
      if (!holder.hasAnswered) return false;
    }
    // A string may come back before the pages that came with it.
    const { lent, inFlight } = this.#ledger.snapshot();
    return lent === 0 && inFlight === 0;
  }

  /** Proves that no page was lost or is held twice. */
  check(): void {
    this.#ledger.check();
  }

  /** Closes the NIC and every port. */
  [Symbol.dispose](): void {
    for (const id of [...this.#holders.keys()]) this.detach(id);
    this.processes[Symbol.dispose]();
    this.#orders[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }

  #receive(): number {
    const batch = this.#batch;
    const arrived = this.#driver.receive(batch, BATCH_MAX);
    this.#supply.received(arrived);
    if (arrived === 0) return 0;
    const count = this.#lengths.keep(batch, arrived);
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += batch.length[i]!;
    this.#receivedPackets += count;
    this.#receivedBytes += bytes;
    this.#observe(count);
    if (this.#kernelClassifier.active) {
      this.#classifier.believeTags(batch, count);
    } else this.#classifier.classify(batch, count);
    this.#deliverer.deliver(batch, count);
    return arrived;
  }

  /** The NIC's, with what was left out here. */
  #counters(): Counts {
    const counters = this.#driver.counters();
    const { tooLarge } = this.#lengths;
    const before = counters["rx-too-large"] ?? 0;
    return { ...counters, "rx-too-large": before + tooLarge };
  }

  /** Takes back all frames that the NIC has sent, some at a time. Returns how many. */
  #reclaim(): number {
    const frames = this.#frames;
    for (let all = 0;;) {
      const count = this.#driver.reclaim(frames);
      for (let i = 0; i < count; i++) {
        const frame = frames[i]!;
        const account = this.#table.accounts[this.#ledger.sent(frame)]!;
        this.#table.release(account, this.#ledger.pagesOf(frame));
      }
      all += count;
      if (count < frames.length) return all;
    }
  }

  /** Observers get their copies before anybody gets the packets: one check each. */
  #observe(count: number): void {
    for (const observer of this.#table.observers) {
      this.#classifier.permit(this.#batch, 0, count, observer.spec.slot);
      this.#deliverer.observe(this.#batch, count, observer);
    }
  }

  #drained(account: Account): void {
    const slots = Uint32Array.of(account.spec.slot);
    this.#orders.post({ kind: "drained", slots });
  }
}
