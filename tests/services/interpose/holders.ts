/** What holders do with what they are delivered: honest ones, and others. */

import fc from "fast-check";
import type { Port } from "../../../caps/port/port.ts";
import {
  type Delivery,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
  type Submission,
} from "../../../caps/port/records.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { frames, plans } from "../../drivers/service/plans.ts";

const HONEST = ["return", "answer", "keep", "send"] as const;
const ROGUE = [
  "return twice",
  "forge a page",
  "name pages crosswise",
  "under a guessed tag",
  "garbage",
  "lie about lengths",
] as const;

/** One thing that a holder does. */
export interface Act {
  readonly does: typeof HONEST[number] | typeof ROGUE[number];
  readonly noise: number;
  readonly frame: Uint8Array;
}

function acts(does: readonly Act["does"][]): fc.Arbitrary<Act> {
  return fc.record({
    does: fc.constantFrom(...does),
    noise: fc.nat(),
    frame: fc.oneof(frames, framesFor(plans.map(({ sends }) => sends))),
  });
}

/** What a holder does that keeps to the protocol. */
export const honestActs: fc.Arbitrary<Act> = acts(HONEST);

/** What any holder may do. */
export const anyActs: fc.Arbitrary<Act> = acts([...HONEST, ...ROGUE]);

/** Anew each time: what is posted is moved. */
const garbage =
  (): readonly unknown[] => [null, 7, "x", {}, { capabilities: [1n] }, [], {
    records: new ArrayBuffer(8),
    count: 1,
    pages: [],
  }, {
    capabilities: [5],
    records: new ArrayBuffer(STRING_BYTES),
    count: -1,
    pages: [],
  }];

/** A holder at one end of a port, and all that it has seen there. */
export class Holder {
  readonly port: Port<unknown, Delivery>;
  readonly capability: bigint;
  /** Every message and every outcome, as text, to the last byte. */
  readonly trace: string[] = [];
  /** What it has not given back. */
  readonly kept: Delivery[] = [];
  /** Byte strings of its own that it sent, less those that were returned. */
  ownStrings = 0;

  constructor(port: Port<unknown, Delivery>, capability: bigint) {
    this.port = port;
    this.capability = capability;
  }

  /** Takes all that is there. */
  take(): void {
    for (let d = this.port.take(); d !== undefined; d = this.port.take()) {
      this.trace.push(describe(d));
      if (d.count === 0) this.ownStrings--;
      else this.kept.push(d);
    }
  }

  /** Gives back all that it has, and sends nothing. */
  settle(): void {
    for (;;) {
      this.take();
      const delivery = this.kept.shift();
      if (delivery === undefined) return;
      this.#post(emptied(delivery));
    }
  }

  act({ does, noise, frame }: Act): void {
    if (does === "garbage") {
      const all = garbage();
      return this.#post(all[noise % all.length]);
    }
    if (does === "send") {
      this.ownStrings++;
      return this.#post(sendOf(this.capability, frame));
    }
    const delivery = this.kept.shift();
    if (delivery === undefined) return;
    switch (does) {
      case "return":
        return this.#post(emptied(delivery));
      case "answer": // sent as it is: permitted or not
        return this.#post(delivery);
      case "keep":
        return void this.kept.push(delivery);
      case "return twice": {
        const again = structuredClone(emptied(delivery));
        this.#post(delivery);
        return this.#post(again);
      }
      case "forge a page":
        return this.#post({
          ...delivery,
          pages: delivery.pages.map(() => new ArrayBuffer(4096 - (noise & 1))),
        });
      case "name pages crosswise": {
        const pages = [...delivery.pages, ...delivery.pages].reverse();
        return this.#post({ ...delivery, pages });
      }
      case "under a guessed tag":
        return this.#post({ ...delivery, capabilities: [BigInt(noise) + 1n] });
      case "lie about lengths":
        new Uint32Array(delivery.records)[noise % 6] = noise * 2654435761;
        return this.#post({ ...delivery, count: noise % 2000 });
    }
  }

  #post(message: unknown): void {
    const { records, pages = [] } = (message ?? {}) as Partial<Submission>;
    const moved = new Set<Transferable>(records ? [records, ...pages] : []);
    try {
      this.trace.push(`posted: ${this.port.post(message, [...moved])}`);
    } catch (error) {
      this.trace.push(`threw: ${error}`);
    }
    this.trace.push(`left: ${records?.byteLength} ${this.port.closed}`);
  }
}

function emptied(delivery: Delivery): Delivery {
  const view = new RecordView(delivery.records);
  for (let i = 0, at = 0; i < delivery.count; i++, at += view.stride(at)) {
    view.setLength(at, 0);
  }
  return delivery;
}

function sendOf(capability: bigint, frame: Uint8Array): Submission {
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.bytes.set(frame, RECORD_BYTES);
  view.putInline(0, frame.length);
  const records = view.bytes.buffer;
  return { capabilities: [capability], records, count: 1, pages: [] };
}

function describe(delivery: Delivery): string {
  const { records, pages } = delivery;
  return [
    Object.getPrototypeOf(delivery) === Object.prototype,
    ...Object.entries(delivery).map(([key, value]) =>
      `${key}: ${typeof value} ${typeof value === "object" ? "" : value}`
    ),
    ...[records, ...pages].map(hash),
  ].join("\n");
}

/** FNV-1a over the words of a buffer, with its length and kind. */
function hash(buffer: ArrayBuffer): string {
  let sum = 0x811c9dc5;
  for (const word of new Uint32Array(buffer)) {
    sum = Math.imul(sum ^ word, 0x01000193);
  }
  return `${buffer.constructor.name} ${buffer.byteLength} ${sum >>> 0}`;
}
