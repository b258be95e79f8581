/** The data channel over a stream: strings and pages go to a holder and come back, whatever it does. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../../caps/memory/memory.ts";
import { Channels } from "../../../../caps/port/stream/channels.ts";
import { DriverEnd } from "../../../../caps/port/stream/driver_end.ts";
import { HolderEnd } from "../../../../caps/port/stream/holder_end.ts";
import {
  CHANNEL,
  DATA_KINDS,
  KIND,
} from "../../../../caps/port/stream/message.ts";
import { RecordWalk } from "../../../../caps/port/record_walk.ts";
import { RecordWriter } from "../../../../caps/port/record_writer.ts";
import {
  type Delivery,
  INLINE,
  inlineStride,
  RECORD_BYTES,
  STRING_BYTES,
  type Submission,
} from "../../../../caps/port/records.ts";
import { testProperty } from "../../../property.ts";
import { pieces, TestPipe } from "./pipe.ts";

const file = import.meta.url;

/** A driver's side and a holder's, and the pipes between them. */
class Pair {
  readonly toHolder: TestPipe;
  readonly toDriver: TestPipe;
  readonly driverChannels = new Channels({
    dataKinds: DATA_KINDS.fromHolder,
    opens: false,
  });
  readonly holderChannels = new Channels({
    dataKinds: DATA_KINDS.fromDriver,
    opens: true,
  });
  readonly driver: DriverEnd;
  readonly holder: HolderEnd;

  constructor(sizes: readonly number[] = [1_000_000], unreadMax = 40) {
    this.toHolder = new TestPipe(pieces(sizes));
    this.toDriver = new TestPipe(pieces(sizes));
    this.driver = new DriverEnd({
      writer: this.driverChannels.writer,
      readByHolder: () => this.toHolder.taken,
      unreadMax,
    });
    this.driverChannels.data = this.driver;
    this.holder = new HolderEnd(this.holderChannels.writer);
    this.holderChannels.data = this.holder;
  }

  /** Moves all that there is to move. */
  settle(): void {
    const { writer } = this.driverChannels;
    const { writer: back } = this.holderChannels;
    while (
      !writer.empty || !back.empty || this.toHolder.unread > 0 ||
      this.toDriver.unread > 0
    ) {
      writer.flush(this.toHolder);
      this.holderChannels.receive(this.toHolder);
      back.flush(this.toDriver);
      this.driverChannels.receive(this.toDriver);
    }
  }
}

interface Packet {
  readonly bytes: Uint8Array;
  readonly paged: boolean;
  readonly reply: boolean;
}

const packets = fc.array(
  fc.record({
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    paged: fc.boolean(),
    reply: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

function deliveryOf(packets: readonly Packet[], tag: bigint): Delivery {
  const writer = new RecordWriter();
  writer.begin(new ArrayBuffer(STRING_BYTES));
  const place = writer.name(tag);
  const pages: ArrayBuffer[] = [];
  for (const [i, { bytes, paged }] of packets.entries()) {
    if (!paged) {
      const at = writer.addInline(place, bytes.length);
      writer.view!.bytes.set(bytes, at + RECORD_BYTES);
      continue;
    }
    const page = new ArrayBuffer(i % 3 === 0 ? EXTENT_BYTES : PAGE_BYTES);
    new Uint8Array(page).set(bytes, 64);
    writer.addPage(place, bytes.length, i, 64, pages.length, 0);
    pages.push(page);
  }
  return writer.take(pages);
}

/** The packets of a message, those that nothing is to be sent of as undefined. */
function packetsOf(
  { records, count, pages }: Delivery | Submission,
): (Uint8Array | undefined)[] {
  const walk = new RecordWalk(records, count);
  const found: (Uint8Array | undefined)[] = [];
  while (walk.next()) {
    const { view, at } = walk;
    const page = view.page(at);
    const [bytes, start] = page === INLINE
      ? [view.bytes, at + view.start(at)]
      : [new Uint8Array(pages[page]!), view.start(at)];
    const length = view.length(at);
    found.push(
      length === 0 ? undefined : bytes.slice(start, start + length),
    );
  }
  return found;
}

/** A core's work: replies by turning each byte round, in place. */
function answer(delivery: Delivery, packets: readonly Packet[]): void {
  const walk = new RecordWalk(delivery.records, delivery.count);
  for (let i = 0; walk.next(); i++) {
    const { view, at } = walk;
    if (!packets[i]!.reply) {
      view.setLength(at, 0);
      continue;
    }
    const page = view.page(at);
    const [bytes, start] = page === INLINE
      ? [view.bytes, at + view.start(at)]
      : [new Uint8Array(delivery.pages[page]!), view.start(at)];
    for (let k = start; k < start + view.length(at); k++) bytes[k]! ^= 0xff;
  }
}

testProperty(
  "packets reach a holder whole, its answers the driver, and each string and page is the driver's own again",
  { runs: 100, file },
  fc.property(
    fc.array(packets, { minLength: 1, maxLength: 6 }),
    fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 6 })
      .filter((all) => all.some((size) => size > 0)),
    (batches, sizes) => {
      const pair = new Pair(sizes);
      const sent = batches.map((batch, i) => deliveryOf(batch, BigInt(i + 1)));
      for (const delivery of sent) ok(pair.driver.post(delivery));
      pair.settle();
      for (const [i, batch] of batches.entries()) {
        const delivery = pair.holder.take()!;
        deepEqual(delivery.capabilities, [BigInt(i + 1)]);
        deepEqual(packetsOf(delivery), batch.map(({ bytes }) => bytes));
        answer(delivery, batch);
        ok(pair.holder.post(delivery));
      }
      pair.settle();
      for (const [i, batch] of batches.entries()) {
        const back = pair.driver.take()!;
        equal(back.records, sent[i]!.records);
        deepEqual(back.pages.map((page) => sent[i]!.pages.indexOf(page)), [
          ...sent[i]!.pages.keys(),
        ]);
        const expected = batch.map(({ bytes, reply }) =>
          reply ? bytes.map((byte) => byte ^ 0xff) : undefined
        );
        deepEqual(packetsOf(back), expected);
        if (batch.some(({ reply }) => reply)) {
          deepEqual(back.capabilities, [BigInt(i + 1)]);
        }
      }
      equal(pair.driver.take(), undefined);
    },
  ),
);

testProperty(
  "whatever a holder's process writes, no string and no page is lost, and none comes twice",
  { runs: 200, file },
  fc.property(
    fc.array(packets, { minLength: 1, maxLength: 4 }),
    fc.array(
      fc.oneof(
        fc.record({
          delivery: fc.nat(4),
          pages: fc.array(fc.nat(1), { maxLength: 2 }),
          string: fc.uint8Array({ maxLength: 60 }),
          count: fc.nat(3000),
        }),
        fc.uint8Array({ maxLength: 40 }),
      ),
      { maxLength: 12 },
    ),
    fc.constantFrom(0, 9000, 1_000_000),
    (batches, lies, readBytes) => {
      const pair = new Pair();
      const sent = batches.map((batch, i) => deliveryOf(batch, BigInt(i + 1)));
      for (const delivery of sent) pair.driver.post(delivery);
      pair.driverChannels.writer.flush(pair.toHolder);
      pair.toHolder.read(new Uint8Array(1_000_000), 0, readBytes);
      const { writer } = pair.holderChannels;
      for (const lie of lies) {
        if (lie instanceof Uint8Array) {
          writer.put(KIND.page, CHANNEL.data, lie);
          continue;
        }
        const body = new Uint8Array(
          16 + (lie.pages.length * 4 + 7 & ~7) + lie.string.length,
        );
        const view = new DataView(body.buffer);
        view.setUint32(0, lie.delivery, true);
        view.setUint16(4, lie.count, true);
        view.setUint32(8, lie.string.length, true);
        view.setUint16(12, lie.pages.length, true);
        lie.pages.forEach((page, i) => view.setUint32(16 + 4 * i, page, true));
        body.set(lie.string, body.length - lie.string.length);
        writer.put(KIND.records, CHANNEL.data, body);
      }
      while (!writer.empty) writer.flush(pair.toDriver);
      while (pair.toDriver.unread > 0) {
        pair.driverChannels.receive(pair.toDriver);
      }
      const strings = new Map(sent.map(({ records }) => [records, 0]));
      const pages = new Map(
        sent.flatMap((one) => one.pages).map((p) => [p, 0]),
      );
      const take = () => {
        for (
          let back = pair.driver.take();
          back !== undefined;
          back = pair.driver.take()
        ) {
          if (back === null) continue;
          const own = strings.get(back.records);
          if (own !== undefined) strings.set(back.records, own + 1);
          for (const page of back.pages) {
            pages.set(page, (pages.get(page) ?? NaN) + 1);
          }
        }
      };
      take();
      pair.driver.recall();
      take();
      ok(
        [...strings.values()].every((times) => times === 1),
        `${[...strings.values()]}`,
      );
      ok(
        [...pages.values()].every((times) => times === 1),
        `${[...pages.values()]}`,
      );
    },
  ),
);

Deno.test("a page that its holder has not read yet does not come back, whatever the holder says", () => {
  const pair = new Pair();
  const delivery = deliveryOf([{
    bytes: new Uint8Array(100),
    paged: true,
    reply: false,
  }], 7n);
  pair.driver.post(delivery);
  pair.driverChannels.writer.flush(pair.toHolder);
  const lie = new Uint8Array(16);
  lie[0] = 1;
  pair.holderChannels.writer.put(KIND.records, CHANNEL.data, lie);
  pair.holderChannels.writer.flush(pair.toDriver);
  pair.driverChannels.receive(pair.toDriver);
  equal(pair.driver.take(), null);
  equal(pair.driver.take(), undefined);
  pair.settle();
  pair.holder.post(pair.holder.take()!);
  pair.settle();
  equal(pair.driver.take()!.pages[0], delivery.pages[0]);
});

Deno.test("strings of a holder's own go out, and come back in their order", () => {
  const pair = new Pair();
  const own = [1, 2].map((number) => {
    const writer = new RecordWriter();
    writer.begin(new ArrayBuffer(STRING_BYTES));
    const at = writer.addInline(writer.name(9n), 60);
    writer.view!.bytes.fill(number, at + RECORD_BYTES, at + inlineStride(60));
    return writer.take();
  });
  for (const one of own) pair.holder.post(one);
  pair.settle();
  for (const number of [1, 2]) {
    const got = pair.driver.take()!;
    deepEqual(packetsOf(got), [new Uint8Array(60).fill(number)]);
    pair.driver.post({ ...got, count: 0, capabilities: [] });
  }
  pair.settle();
  for (const one of own) {
    const back = pair.holder.take()!;
    equal(back.count, 0);
    equal(back.records, one.records);
  }
});

Deno.test("an own string without records sends nothing that lay in an earlier one", () => {
  const pair = new Pair();
  const writer = new RecordWriter();
  writer.begin(new ArrayBuffer(STRING_BYTES));
  writer.addInline(writer.name(9n), 60);
  pair.holder.post(writer.take());
  pair.settle();
  const first = pair.driver.take()!;
  pair.driver.post({ ...first, count: 0, capabilities: [] });
  const empty = new Uint8Array(16);
  empty[4] = 1;
  pair.holderChannels.writer.put(KIND.records, CHANNEL.data, empty);
  pair.settle();
  const second = pair.driver.take()!;
  equal(second.records, first.records);
  deepEqual(packetsOf(second), []);
});

Deno.test("a holder with more under way than it may have is cut off", () => {
  const pair = new Pair([65_536], 3);
  for (let i = 0; i < 4; i++) {
    const writer = new RecordWriter();
    writer.begin(new ArrayBuffer(STRING_BYTES));
    writer.addInline(writer.name(9n), 60);
    pair.holder.post(writer.take());
  }
  pair.settle();
  ok(pair.driver.overrun);
});
