/** A driver, played by the test, whose port has interposers before it. */

import { equal } from "node:assert/strict";
import { PAGE_BYTES } from "../../../caps/memory/memory.ts";
import { makePipe, type Port, takeAll } from "../../../caps/port/port.ts";
import { RecordWriter } from "../../../caps/port/record_writer.ts";
import { RecordWalk } from "../../../caps/port/record_walk.ts";
import {
  type Delivery,
  INLINE,
  inlineStride,
  postRecords,
  STRING_BYTES,
  type Submission,
} from "../../../caps/port/records.ts";
import { Tally } from "../../../caps/driver/accounts.ts";
import { interpose } from "../../../services/interpose/interpose.ts";
import type {
  Interposer,
  InterposerVerdict,
} from "../../../services/interpose/interposer.ts";
import type { InterposedPort } from "../../../services/interpose/layer.ts";
import { VirtualTime } from "../../simulation/virtual_time.ts";

/** One packet, on its way in either direction. */
export interface Packet {
  readonly capability: bigint;
  /** What its bytes are, and its frame. */
  readonly number: number;
  readonly length: number;
  readonly inPage: boolean;
}

/** An interposer that says `verdict` to every frame, and counts how often it was let rest. */
export class Says implements Interposer {
  readonly name = "says";
  readonly tally = new Tally();
  rests = 0;
  verdict: (now: number) => InterposerVerdict;

  constructor(verdict: (now: number) => InterposerVerdict) {
    this.verdict = verdict;
  }

  deliver(_: unknown, now: number): InterposerVerdict {
    return this.verdict(now);
  }

  submit(_: unknown, now: number): InterposerVerdict {
    return this.verdict(now);
  }

  rest(): void {
    this.rests++;
  }
}

/** What the driver and the holder of one port see. */
export class LayerRig {
  readonly time = new VirtualTime();
  readonly driver: Port<Delivery, Submission>;
  readonly holder: InterposedPort;

  constructor(...interposers: Interposer[]) {
    const [driver, end] = makePipe<Delivery, Submission>();
    this.driver = driver;
    const makeClock = () => this.time.makeClock();
    this.holder = interpose(end, interposers, { makeClock });
  }

  /** Delivers packets in one message. */
  deliver(packets: readonly Packet[]): void {
    equal(postRecords(this.driver, messageOf(packets)), true);
  }

  /** Sends a string of the holder's, or of the layer's, back. */
  returnString(): void {
    const writer = new RecordWriter();
    writer.begin(new ArrayBuffer(STRING_BYTES));
    equal(postRecords(this.driver, writer.take()), true);
  }

  /** What the driver has got. */
  got(): Submission[] {
    return [...takeAll(this.driver)];
  }

  /** Takes what there is for the holder, which gives all of it back at once. */
  takeAndAnswer(): Delivery[] {
    const taken: Delivery[] = [];
    for (const delivery of takeAll(this.holder)) {
      taken.push(structuredClone(delivery));
      new RecordWalk(delivery.records, delivery.count).emptyAll();
      postRecords(this.holder, delivery);
    }
    return taken;
  }
}

/** A message of packets, whatever capabilities they are for. */
export function messageOf(packets: readonly Packet[]): Delivery {
  const writer = new RecordWriter();
  writer.begin(new ArrayBuffer(STRING_BYTES));
  const named = [...new Set(packets.map(({ capability }) => capability))];
  for (const capability of named) writer.name(capability);
  const pages: ArrayBuffer[] = [];
  for (const { capability, number, length, inPage } of packets) {
    const place = named.indexOf(capability);
    if (inPage) {
      writer.addPage(place, length, number, 0, pages.length, 0);
      const page = new ArrayBuffer(PAGE_BYTES);
      new Uint8Array(page).fill(number, 0, length);
      pages.push(page);
    } else {
      const at = writer.addInline(place, length);
      const view = writer.view!;
      view.words[(at >>> 2) + 1] = number;
      const start = at + view.start(at);
      view.bytes.fill(number, start, start + length);
    }
  }
  return writer.take(pages);
}

/** The packets of a message, as they were put into it. */
export function packetsIn(message: Submission): Packet[] {
  const { capabilities, records, count, pages } = message;
  equal(new Set(capabilities).size, capabilities.length);
  const walk = new RecordWalk(records, count);
  const packets: Packet[] = [];
  while (walk.next()) {
    const { view, at } = walk;
    const inPage = view.page(at) !== INLINE;
    const length = view.length(at);
    const start = view.start(at);
    const bytes = inPage
      ? new Uint8Array(pages[view.page(at)]!)
      : view.bytes.subarray(at);
    const number = view.frame(at);
    for (let i = start; i < start + length; i++) equal(bytes[i], number & 0xff);
    const capability = capabilities[view.capability(at)]!;
    packets.push({ capability, number, length, inPage });
  }
  equal(packets.length, count);
  return packets;
}

/** The lengths of a message's packets. */
export function lengthsIn({ records, count }: Submission): number[] {
  const walk = new RecordWalk(records, count);
  const lengths: number[] = [];
  while (walk.next()) lengths.push(walk.view.length(walk.at));
  return lengths;
}

/** Bytes of a string that packets take. */
export function bytesOf(packets: readonly Packet[]): number {
  return packets.map(({ inPage, length }) => inlineStride(inPage ? 0 : length))
    .reduce((sum, bytes) => sum + bytes, 0);
}
