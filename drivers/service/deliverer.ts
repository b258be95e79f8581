/**
 * Delivery: a classified batch becomes one message for each holder that it has
 * packets for. A small packet is copied onto the holder's byte string; a
 * large one's page goes to the holder; to a trusted holder, only a descriptor. A
 * holder in this thread is called with each of its packets.
 */

import {
  type Batch,
  frameAt,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { CHECKSUM_MAY_BE_PARTIAL } from "../../caps/port/offload.ts";
import { INLINE_BYTES_MAX } from "../../caps/port/records.ts";
import type { Driver } from "../driver.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import { CopyDeliverer } from "./copy_deliverer.ts";
import type { DirectDeliverer } from "./direct_deliverer.ts";
import type { Holder } from "./holder.ts";
import type { Meter, Turn } from "./meter.ts";
import { OpenStrings } from "./open_strings.ts";
import { SwapDeliverer } from "./swap_deliverer.ts";
import { TrustedDeliverer } from "./trusted_deliverer.ts";

export interface DeliveryParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly driver: Driver;
  readonly table: AccountTable;
  readonly turn: Turn;
  /** Calls the holders in this thread. */
  readonly direct: DirectDeliverer;
}

/** Hands batches to the holders of capabilities. */
export class Deliverer {
  readonly #ledger: PageLedger;
  readonly #table: AccountTable;
  /** The `offload` of packets of which the NIC says nothing. */
  readonly #offloadDefault: number;
  readonly #turn: Turn;
  readonly #strings: OpenStrings;
  readonly #copy: CopyDeliverer;
  readonly #swap: SwapDeliverer;
  readonly #trusted: TrustedDeliverer;
  readonly #direct: DirectDeliverer;
  /** Packets that were nobody's. */
  unclaimedPackets = 0;

  constructor(
    { memory, ledger, driver, table, turn, direct }: DeliveryParts,
  ) {
    this.#direct = direct;
    this.#ledger = ledger;
    this.#table = table;
    this.#offloadDefault = driver.info.partialChecksums
      ? CHECKSUM_MAY_BE_PARTIAL
      : 0;
    this.#turn = turn;
    this.#strings = new OpenStrings(ledger, driver.pages, table);
    this.#copy = new CopyDeliverer(memory, this.#strings);
    this.#swap = new SwapDeliverer(memory, ledger, this.#strings);
    this.#trusted = new TrustedDeliverer(ledger);
  }

  /** Delivers `batch[0..count)`, whose slots are chosen. Every frame is lent or idle afterwards. */
  deliver(batch: Batch, count: number): void {
    for (let i = 0; i < count; i++) {
      const offset = batch.offset[i]!;
      const length = batch.length[i]!;
      const offload = batch.offload[i]! || this.#offloadDefault;
      const account = this.#table.ownerOf(batch.slot[i]!);
      if (account === undefined) {
        this.unclaimedPackets++;
        this.#ledger.putIdle(frameAt(offset));
      } else if (account.meters !== undefined) {
        this.#handLimited(account, offset, length, offload);
      } else {
        this.#hand(account, offset, length, offload);
      }
    }
    this.flush();
  }

  /**
   * Copies those packets of `batch[0..count)` whose slot is the observer's to
   * it, whatever their length; the frames stay whose they are.
   */
  observe(batch: Batch, count: number, observer: Account): void {
    const { slot } = observer.spec;
    for (let i = 0; i < count; i++) {
      if (batch.slot[i] !== slot) continue;
      const length = batch.length[i]!;
      const meter = observer.meters?.delivered;
      if (meter !== undefined && !this.#admit(observer, meter, length)) {
        continue;
      }
      if (length > INLINE_BYTES_MAX) {
        observer.drops.add("copy-too-large");
        continue;
      }
      const offload = batch.offload[i]! || this.#offloadDefault;
      if (this.#copy.hand(observer, batch.offset[i]!, length, offload)) {
        meter?.charge(length);
      }
    }
  }

  /** Posts what is begun, but for the last byte string of a holder that is behind. */
  flush(): void {
    this.#direct.flush();
    this.#trusted.flush();
    this.#strings.flush();
  }

  /** Posts what is begun for the holder of a capability that will get nothing more. */
  finish(holder: Holder): void {
    this.#strings.post(holder);
  }

  /** Takes back what is begun for a holder that was terminated. */
  withdraw(holder: Holder): void {
    this.#strings.withdraw(holder);
  }

  /** Hands a packet over: its frame is lent or idle afterwards. False when it was dropped. */
  #hand(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): boolean {
    const { trusted, direct } = account.holder;
    if (direct !== undefined) {
      return this.#direct.hand(account, direct, offset, length, offload);
    }
    if (trusted !== undefined) {
      return this.#trusted.hand(account, trusted, offset, length, offload);
    }
    if (length > account.copyBytesMax) {
      return this.#swap.hand(account, offset, length, offload);
    }
    this.#ledger.putIdle(frameAt(offset));
    return this.#copy.hand(account, offset, length, offload);
  }

  /** Hands a packet over if the rate limits allow it; one that is dropped for another reason takes nothing from them. */
  #handLimited(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): void {
    const meter = account.meters!.delivered;
    if (!this.#admit(account, meter, length)) {
      this.#ledger.putIdle(frameAt(offset));
    } else if (this.#hand(account, offset, length, offload)) {
      meter.charge(length);
    }
  }

  /** Whether the account's limits let a packet through; counted when not. */
  #admit(account: Account, meter: Meter, length: number): boolean {
    if (meter.admits(length, this.#turn.nowMs)) return true;
    account.drops.add("rate-limit");
    return false;
  }
}
