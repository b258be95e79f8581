/** What holders do with what they were delivered, most of it wrong. */

import fc from "fast-check";
import {
  type Delivery,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { witness } from "../../arbitraries/witness.ts";
import type { Rig, TestHolder } from "./rig.ts";

/** What a holder does with what it was delivered. */
export const behaviours: fc.Arbitrary<string> = fc.constantFrom(
  "return",
  "keep",
  "return twice",
  "forge a page",
  "claim another frame",
  "under a guessed tag",
  "under another's tag",
  "garbage",
  "lie about lengths",
  "name every frame again",
  "point elsewhere",
  "send",
  "send under another's tag",
);

/** Behaviours that may send something. */
export const SENDING: ReadonlySet<string> = new Set([
  "send",
  "name every frame again",
  "point elsewhere",
]);

/** One of them. */
export interface Act {
  readonly does: string;
  readonly noise: number;
  readonly send: Uint8Array<ArrayBuffer>;
}

/** `holder` does it, with the delivery that it has kept longest. */
export function act(
  rig: Pick<Rig, "holders">,
  holder: TestHolder,
  delivery: Delivery | undefined,
  step: Act,
): void {
  const { port } = holder;
  if (step.does === "garbage") {
    const messages = [null, 7, "x", {}, { capabilities: [1n] }, [], {
      records: new ArrayBuffer(8),
      count: 1,
      pages: [],
    }];
    port.post(messages[step.noise % messages.length]);
    return;
  }
  const other = rig.holders[holder.id % 3]!;
  if (step.does === "send") return send(holder, holder.capability, step.send);
  if (step.does === "send under another's tag") {
    return send(holder, other.capability, witness(other.sends[0]!));
  }
  if (delivery === undefined) return;
  const view = new RecordView(delivery.records);
  let at = 0;
  for (let i = 0; i < delivery.count; i++) {
    view.setLength(at, 0);
    at += view.stride(at);
  }
  giveBack(step, { port, delivery, view, at, other });
}

/** A delivery of which nothing is to be sent. */
interface Kept {
  readonly port: TestHolder["port"];
  readonly delivery: Delivery;
  readonly view: RecordView;
  /** Where its records end. */
  readonly at: number;
  readonly other: TestHolder;
}

function giveBack(step: Act, { port, delivery, view, at, other }: Kept): void {
  // Moved, as a holder does it: of mapped memory a copy is not the page.
  const post = (message: Delivery) =>
    port.post(message, [message.records, ...message.pages]);
  switch (step.does) {
    case "keep":
      return;
    case "return twice": {
      const again = structuredClone(delivery);
      post(delivery);
      post(again);
      return;
    }
    case "forge a page":
      post({
        ...delivery,
        pages: delivery.pages.map(() =>
          new ArrayBuffer(step.noise & 1 ? 4096 : 4095)
        ),
      });
      return;
    case "claim another frame": {
      new Uint32Array(delivery.records)[1] = step.noise % 20;
      post(delivery);
      return;
    }
    case "under a guessed tag":
      post({ ...delivery, capabilities: [BigInt(step.noise + 1)] });
      return;
    case "under another's tag":
      post({ ...delivery, capabilities: [other.capability] });
      return;
    case "name every frame again": {
      // The records of the delivery, twice over, to be sent each.
      const bytes = new Uint8Array(delivery.records);
      bytes.copyWithin(at, 0, at);
      for (let record = 0; record < 2 * at; record += view.stride(record)) {
        view.setLength(record, 60);
      }
      post({ ...delivery, count: 2 * delivery.count });
      return;
    }
    case "point elsewhere":
      view.setLength(0, 60);
      view.setStart(0, step.noise * 40503 & 0xffff);
      post(delivery);
      return;
    case "lie about lengths":
      new Uint32Array(delivery.records)[step.noise % 6] = step.noise *
        2654435761;
      post({ ...delivery, count: step.noise % 2000 });
      return;
    default:
      post(delivery);
  }
}

/** Sends one frame of the holder's own making. */
export function send(
  holder: TestHolder,
  tag: bigint,
  frame: Uint8Array,
): void {
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.bytes.set(frame, 24);
  view.putInline(0, frame.length);
  holder.port.post({
    capabilities: [tag],
    records: view.bytes.buffer,
    count: 1,
    pages: [],
  });
}
