/** A holder that sends whatever it is told to, in strings, in pages, and in runs of pages. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import { PAGE_BYTES } from "../../../caps/memory/memory.ts";
import { takeAll } from "../../../caps/port/port.ts";
import {
  type Delivery,
  RECORD_BYTES,
  RecordView,
  RUN_PAGES_MAX,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { Rig, type TestHolder } from "./rig.ts";
import type { Likeness } from "../../model/stalling_driver.ts";

/** A frame to be sent, and what lies about it. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** In a page of its own, so far from its beginning; in the string when absent. */
  readonly inPage?: number;
  /** What its record says of checksum and segments. */
  readonly offload?: number;
}

/** What lies in a string or a page where no frame is. */
const FILLER = 0xee;

/** Bytes of filler that an inline record has behind its frame. */
const TAIL_BYTES = 64;

/** The packets by which a holder of the rig gets pages. */
const WANTED = ethernet().etherType(0x88b5).grant;

/** Pages that it may hold. */
const QUOTA_PAGES = 40;

/** A rig with one holder, who may send `sends`. */
export class Outbox implements Disposable {
  readonly rig: Rig;
  readonly holder: TestHolder;

  constructor(sends: Grant, likeness: Likeness = {}) {
    const plan = {
      receives: WANTED,
      sends,
      quotaPages: QUOTA_PAGES,
      copyBytesMax: 0,
    };
    this.rig = new Rig([plan], 160, RUN_PAGES_MAX, likeness);
    this.holder = this.rig.holders[0]!;
  }

  /** Sends all in one message. Returns what came out at the far end. */
  send(frames: readonly Outgoing[]): Uint8Array[] {
    this.post(frames);
    this.rig.turn();
    return this.rig.sent();
  }

  /** Posts them in one message; views that the holder has kept of all that it posts. */
  post(frames: readonly Outgoing[]): Uint8Array[] {
    const inPages = frames.filter(({ inPage }) => inPage !== undefined);
    const pages = this.lend(inPages.length);
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    view.bytes.fill(FILLER);
    let at = 0;
    for (const frame of frames) {
      const from = at;
      if (frame.inPage === undefined) at = putInline(view, at, frame.bytes);
      else at = pages.put(view, at, frame.bytes, frame.inPage);
      view.setOffload(from, frame.offload ?? 0);
    }
    return this.postRecords(view, frames.length, pages.buffers);
  }

  /** Posts that; views that the holder has kept of it. */
  postRecords(
    { bytes: { buffer: records } }: RecordView,
    count: number,
    pages: ArrayBuffer[],
  ): Uint8Array[] {
    const moved = [records, ...pages];
    const kept = moved.map((buffer) => new Uint8Array(buffer));
    const { capability, port } = this.holder;
    const capabilities = [capability];
    port.post({ capabilities, records, count, pages }, moved);
    return kept;
  }

  /** Gets so many pages, by having as many packets come. */
  lend(count: number): Pages {
    const wanted = new Uint8Array(60);
    wanted.set([0x88, 0xb5], 12);
    for (let i = 0; i < count; i++) {
      this.rig.far.send(wanted, 0, wanted.length);
    }
    this.rig.turn();
    // Besides deliveries, strings come back.
    const [delivery] = [...takeAll(this.holder.port)]
      .filter(({ count }) => count > 0);
    return new Pages(delivery);
  }

  /** What was refused of the holder's messages, and of its frames. */
  get refused(): Counts {
    const { accounts, refusals } = this.rig.service.counts();
    return { ...refusals[0]!.refusals, ...accounts[0]!.drops };
  }

  [Symbol.dispose](): void {
    this.rig[Symbol.dispose]();
  }
}

function putInline(view: RecordView, at: number, bytes: Uint8Array): number {
  view.bytes.set(bytes, at + RECORD_BYTES);
  const next = view.putInline(at, bytes.length + TAIL_BYTES);
  view.setLength(at, bytes.length);
  return next;
}

/** The pages of one delivery, runs of them in one buffer each. */
export class Pages {
  readonly buffers: ArrayBuffer[];
  /** Of each page: the first frame of its run, the number of its run, and its place in it. */
  readonly places: { frame: number; page: number; base: number }[] = [];
  #next = 0;

  constructor(delivery: Delivery | undefined) {
    this.buffers = delivery?.pages ?? [];
    if (delivery === undefined) return;
    const view = new RecordView(delivery.records);
    for (let i = 0, at = 0; i < delivery.count; i++, at += view.stride(at)) {
      const base = view.start(at) & ~(PAGE_BYTES - 1);
      this.places.push({ frame: view.frame(at), page: view.page(at), base });
    }
    for (const buffer of this.buffers) new Uint8Array(buffer).fill(FILLER);
  }

  /** Puts `bytes` into the next page and writes their record. Returns where the next one begins. */
  put(
    view: RecordView,
    at: number,
    bytes: Uint8Array,
    start: number,
  ): number {
    const { frame, page, base } = this.places[this.#next++]!;
    new Uint8Array(this.buffers[page]!).set(bytes, base + start);
    return view.putPage(at, bytes.length, frame, base + start, page);
  }
}
