/**
 * Delivery: a classified batch becomes one message for each capability that it
 * has packets of. A small packet is copied onto the holder's byte string; a
 * large one's page goes to the holder, at the cost of its quota.
 */

import {
  type Batch,
  frameAt,
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { SLOT_NONE } from "../../caps/kernel/slots.ts";
import { CHECKSUM_MAY_BE_PARTIAL } from "../../caps/port/offload.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import {
  INLINE_BYTES_MAX,
  inlineStride,
  RECORD_BYTES,
  type RecordView,
  STRING_BYTES,
} from "../../caps/port/records.ts";
import type { Driver, PageExchange } from "../driver.ts";
import type { Account } from "./account.ts";
import { TrustedDeliverer } from "./trusted_deliverer.ts";
import type { Meter, Turn } from "./meter.ts";

/** Up to how many bytes a packet is copied word by word. */
const WORDS_UP_TO_BYTES = 256;

/** What delivery works on. */
export interface DeliveryParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly driver: Driver;
  /** By slot. */
  readonly accounts: readonly (Account | undefined)[];
  readonly turn: Turn;
}

/** The live account that a packet of `slot` belongs to: a revoked one's heir. */
export function ownerOf(
  accounts: readonly (Account | undefined)[],
  slot: number,
): Account | undefined {
  let account = accounts[slot];
  // At most as many steps as the derivation tree is deep.
  while (account !== undefined && !account.live) {
    account = accounts[account.heir];
  }
  return slot === SLOT_NONE ? undefined : account;
}

/** Hands batches to the holders of capabilities. */
export class Deliverer {
  readonly #memory: PacketMemory;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #ledger: PageLedger;
  readonly #exchange: PageExchange;
  readonly #accounts: readonly (Account | undefined)[];
  /** What a packet is said to be at the least. */
  readonly #atLeast: number;
  readonly #turn: Turn;
  readonly #trusted: TrustedDeliverer;
  /** Accounts with a byte string begun in this batch. */
  readonly #begun: Account[] = [];
  /** Packets that were nobody's. */
  unclaimedPackets = 0;

  constructor(parts: DeliveryParts) {
    this.#memory = parts.memory;
    this.#words = new Uint32Array(parts.memory.bytes.buffer);
    this.#ledger = parts.ledger;
    this.#trusted = new TrustedDeliverer(parts.ledger);
    this.#exchange = parts.driver.pages;
    this.#atLeast = parts.driver.info.partialChecksums
      ? CHECKSUM_MAY_BE_PARTIAL
      : 0;
    this.#accounts = parts.accounts;
    this.#turn = parts.turn;
  }

  /** Delivers `batch[0..count)`, whose slots are chosen. Every frame is lent or idle afterwards. */
  deliver(batch: Batch, count: number): void {
    for (let i = 0; i < count; i++) {
      const offset = batch.offset[i]!;
      const length = batch.length[i]!;
      const offload = batch.offload[i]! || this.#atLeast;
      const account = ownerOf(this.#accounts, batch.slot[i]!);
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
      const before = observer.deliveredPackets;
      const offload = batch.offload[i]! || this.#atLeast;
      this.#copy(observer, batch.offset[i]!, length, offload);
      if (observer.deliveredPackets !== before) meter?.charge(length);
    }
  }

  /**
   * Posts what is begun; but the last byte string of a holder that is behind
   * stays here and gathers, until another one has come home.
   */
  flush(): void {
    this.#trusted.flush();
    const begun = this.#begun;
    let kept = 0;
    for (let i = 0; i < begun.length; i++) {
      const account = begun[i]!;
      if (account.view === undefined) continue;
      if (account.holder.behind) begun[kept++] = account;
      else this.#post(account);
    }
    begun.length = kept;
  }

  /** Posts what is begun for an account that will get nothing more. */
  finish(account: Account): void {
    this.#post(account);
  }

  /** Takes back what is begun for an account whose holder is gone. */
  withdraw(account: Account): void {
    if (account.view === undefined) return;
    this.#takeBack(account);
    account.endString();
  }

  /** Hands a packet over. Its frame is lent or idle afterwards. */
  #hand(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): void {
    const { trusted } = account.holder;
    if (trusted !== undefined) {
      this.#trusted.hand(account, trusted, offset, length, offload);
    } else if (length <= account.copyBytesMax) {
      this.#ledger.putIdle(frameAt(offset));
      this.#copy(account, offset, length, offload);
    } else {
      this.#swap(account, offset, length, offload);
    }
  }

  #handLimited(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): void {
    const meter = account.meters!.delivered;
    if (!this.#admit(account, meter, length)) {
      this.#ledger.putIdle(frameAt(offset));
      return;
    }
    // What is dropped for another reason takes nothing from an ancestor's rate.
    const before = account.deliveredPackets;
    this.#hand(account, offset, length, offload);
    if (account.deliveredPackets !== before) meter.charge(length);
  }

  /** Whether the account's limits let a packet through; counted when not. */
  #admit(account: Account, meter: Meter, length: number): boolean {
    if (meter.admits(length, this.#turn.nowMs)) return true;
    account.drops.add("rate-limit");
    return false;
  }

  #copy(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): void {
    if (!this.#room(account, inlineStride(length))) return;
    const view = account.view!;
    this.#copyBytes(view, account.at, offset, length);
    const at = account.at;
    account.at = view.putInline(at, length);
    if (offload !== 0) view.setOffload(at, offload);
    account.count++;
    account.deliveredPackets++;
    account.deliveredBytes += length;
  }

  #swap(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): void {
    const frame = frameAt(offset);
    const pages = this.#ledger.pagesOf(frame);
    if (!account.pages.mayHold(pages)) {
      account.drops.add("no-page");
      this.#ledger.putIdle(frame);
      return;
    }
    if (!this.#room(account, RECORD_BYTES)) {
      this.#ledger.putIdle(frame);
      return;
    }
    this.#clean(frame, pages, offset, length);
    this.#ledger.lend(frame, account.spec.slot, pages);
    account.pages.hold(pages);
    const run = account.runs.add(
      frame,
      pages,
      account.holder.limits.runPagesMax,
    );
    const first = account.runs.frame(run);
    const view = account.view!;
    const at = account.at;
    account.at = view.putPage(
      at,
      length,
      first,
      offset - frameOffset(first),
      run,
    );
    if (offload !== 0) view.setOffload(at, offload);
    account.count++;
    account.deliveredPackets++;
    account.deliveredBytes += length;
  }

  /** A NIC writes only the packet's bytes: what an earlier holder left around them is wiped out. */
  #clean(frame: number, pages: number, offset: number, length: number): void {
    const start = frameOffset(frame);
    this.#memory.bytes.fill(0, start, offset);
    this.#memory.bytes.fill(0, offset + length, start + pages * PAGE_BYTES);
  }

  /** Makes room for `sizeBytes` in a byte string of the account's; false, counted, when there is none. */
  #room(account: Account, sizeBytes: number): boolean {
    if (account.view !== undefined && account.at + sizeBytes <= STRING_BYTES) {
      return true;
    }
    if (account.view !== undefined) this.#post(account);
    else this.#begun.push(account);
    if (account.begin()) return true;
    account.drops.add("no-string");
    return false;
  }

  #post(account: Account): void {
    const view = account.view;
    if (view === undefined) return;
    const { runs, count, capability } = account;
    const pages: ArrayBuffer[] = [];
    for (let i = 0; i < runs.count; i++) {
      pages.push(this.#exchange.lend(runs.frame(i), runs.pages(i)));
    }
    const records = view.bytes.buffer;
    const delivery = { capability, records, count, pages };
    if (!account.holder.port.post(delivery, [records, ...pages])) {
      for (let i = 0; i < runs.count; i++) {
        this.#exchange.accept(runs.frame(i), pages[i]);
      }
      this.#takeBack(account);
    }
    account.endString();
  }

  /** What is begun was not posted: its pages were never lent. */
  #takeBack(account: Account): void {
    const { runs } = account;
    for (let i = 0; i < runs.count; i++) {
      const frame = runs.frame(i);
      const pages = runs.pages(i);
      this.#ledger.takeBackIdle(frame, pages);
      account.pages.release(pages);
    }
    account.drops.add("port-closed", account.count);
  }

  /**
   * Puts a packet into the record at `at`. A short one goes word by word, in a
   * third of the time that making a view for `set` takes; no byte behind the
   * packet's last goes with it.
   */
  #copyBytes(
    view: RecordView,
    at: number,
    offset: number,
    length: number,
  ): void {
    const from = this.#memory.bytes;
    const to = view.bytes;
    const start = at + RECORD_BYTES;
    if (length > WORDS_UP_TO_BYTES || (offset & 3) !== 0) {
      to.set(from.subarray(offset, offset + length), start);
      return;
    }
    const words = this.#words;
    const wordFrom = offset >>> 2;
    const wordTo = start >>> 2;
    const whole = length >>> 2;
    for (let i = 0; i < whole; i++) {
      view.words[wordTo + i] = words[wordFrom + i]!;
    }
    for (let i = whole << 2; i < length; i++) to[start + i] = from[offset + i]!;
  }
}
