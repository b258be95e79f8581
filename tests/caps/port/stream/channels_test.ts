/** Channels over a stream: what is posted at one side arrives at the other, however the bytes are cut. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  type ChannelPort,
  Channels,
  UNREAD_MAX,
} from "../../../../caps/port/stream/channels.ts";
import {
  BODY_BYTES_MAX,
  CHANNEL,
  HEADER_BYTES,
  KIND,
} from "../../../../caps/port/stream/message.ts";
import { StreamReader } from "../../../../caps/port/stream/reader.ts";
import {
  decodeValue,
  encodeValue,
} from "../../../../caps/port/stream/values.ts";
import { UNWRITTEN_BYTES_MAX } from "../../../../caps/port/stream/writer.ts";
import { testProperty } from "../../../property.ts";
import { pieces, TestPipe } from "./pipe.ts";

const file = import.meta.url;

const NO_PORTS = { channelOf: () => undefined, portOf: () => undefined };

/** Plain values as they cross: what has no form in a message is not among them. */
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.uint8Array(),
    fc.array(tie("value")),
    fc.dictionary(
      fc.string().filter((name) =>
        !name.startsWith("$") && name !== "__proto__"
      ),
      tie("value"),
      { noNullPrototype: true },
    ),
  ),
})).value;

const sizes = fc.array(fc.nat(40), { minLength: 1, maxLength: 8 })
  .filter((all) => all.some((size) => size > 0));

testProperty(
  "a plain value is the same on the other side",
  { runs: 300, file },
  fc.property(plain, (value) => {
    deepEqual(decodeValue(encodeValue(value, NO_PORTS), NO_PORTS), value);
  }),
);

testProperty(
  "whatever the bytes of a value are, what comes of them is plain data or nothing",
  { runs: 500, file },
  fc.property(
    fc.oneof(
      fc.uint8Array(),
      fc.constantFrom(
        '{"$big":"x"}',
        '{"$big":{}}',
        '{"$bytes":"0"}',
        '{"$bytes":[1]}',
        '{"$port":17}',
        '{"$port":-1}',
        "[".repeat(100_000),
        '{"__proto__":{"a":1}}',
      ).map((text) => new TextEncoder().encode(text)),
    ),
    (bytes) => {
      const value = decodeValue(bytes, NO_PORTS);
      ok(!(value instanceof Promise) && typeof value !== "function");
      equal(({} as { a?: number }).a, undefined);
    },
  ),
);

/** What a side posts. */
const posted = fc.oneof(
  fc.record({ channel: fc.constant(CHANNEL.control), value: plain }),
  fc.record({ channel: fc.constant(CHANNEL.requests), value: plain }),
  fc.record({
    channel: fc.constant(20),
    value: fc.uint8Array({ maxLength: 300 }),
  }),
);

testProperty(
  "what is posted arrives, in order, on its channel, wherever messages are cut and joined",
  { runs: 200, file },
  fc.property(
    fc.array(posted, { maxLength: 30 }),
    sizes,
    sizes,
    (messages, writes, reads) => {
      const pipe = new TestPipe(pieces([...writes, ...reads]));
      const near = makeChannels();
      const far = makeChannels();
      const got: { channel: number; value: unknown }[] = [];
      const take = () => {
        for (const [channel, port] of far.ports) {
          for (let value = port.take(); value !== undefined;) {
            got.push({
              channel,
              value: value instanceof ArrayBuffer
                ? new Uint8Array(value)
                : value,
            });
            value = port.take();
          }
        }
      };
      for (const { channel, value } of messages) {
        const bytes = channel === 20
          ? (value as Uint8Array).slice().buffer
          : value;
        ok(near.ports.get(channel)!.post(bytes));
        near.channels.writer.flush(pipe);
        far.channels.receive(pipe);
        take();
      }
      while (!near.channels.writer.empty || pipe.unread > 0) {
        near.channels.writer.flush(pipe);
        far.channels.receive(pipe);
        take();
      }
      const by = (list: { channel: number; value: unknown }[]) =>
        [...near.ports.keys()].map((channel) =>
          list.filter((one) => one.channel === channel).map(({ value }) =>
            value
          )
        );
      deepEqual(by(got), by(messages));
      equal(far.channels.broken, undefined);
      equal(far.channels.nonsense, 0);
      equal(far.channels.torn, false);
    },
  ),
);

function makeChannels(): {
  readonly channels: Channels;
  readonly ports: ReadonlyMap<number, ChannelPort>;
} {
  const channels = new Channels({ dataKinds: [], opens: false });
  return {
    channels,
    ports: new Map([
      [CHANNEL.control, channels.open(CHANNEL.control, "values")],
      [CHANNEL.requests, channels.open(CHANNEL.requests, "values")],
      [20, channels.open(20, "bytes")],
    ]),
  };
}

testProperty(
  "garbage is messages that make no sense, or the end of the stream's use: nothing throws, and no more is kept than has come",
  { runs: 500, file },
  fc.property(
    fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        // A header with a kind that there is, and a size that may be true.
        fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 8 }), fc.nat(32)).map(
          ([size, kind, channel]) =>
            new Uint8Array([size, 0, 0, 0, kind, 0, channel, 0]),
        ),
      ),
      { maxLength: 30 },
    ),
    (chunks) => {
      const { channels } = makeChannels();
      for (const chunk of chunks) {
        let at = 0;
        channels.receive({
          read(into, from, to) {
            const count = Math.min(to - from, chunk.length - at);
            into.set(chunk.subarray(at, at + count), from);
            at += count;
            return count;
          },
        });
      }
    },
  ),
);

Deno.test("a message of 4 GiB is refused by its first eight bytes, and its channel and kind too", () => {
  const cases: [number[], RegExp][] = [
    [[0xff, 0xff, 0xff, 0xff, KIND.value, 0, 1, 0], /4294967295 bytes/],
    [[0, 0, 0, 0, 0, 0, 1, 0], /no message/],
    [[0, 0, 0, 0, 99, 0, 1, 0], /no message/],
    [[0, 0, 0, 0, KIND.value, 1, 1, 0], /no message/],
    [[0, 0, 0, 0, KIND.value, 0, 0, 0x10], /channel 4096/],
  ];
  for (const [bytes, words] of cases) {
    const reader = new StreamReader();
    reader.fill({
      read(into, from) {
        into.set(bytes, from);
        return bytes.length;
      },
    });
    equal(reader.next(), false);
    ok(words.test(reader.broken ?? ""), reader.broken);
    equal(reader.next(), false);
  }
});

Deno.test("half a message waits for its other half, and a buffer grows with what has come only", () => {
  const reader = new StreamReader();
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, BODY_BYTES_MAX, true);
  header[4] = KIND.bytes;
  reader.fill({
    read(into, from) {
      into.set(header, from);
      return header.length;
    },
  });
  equal(reader.next(), false);
  equal(reader.broken, undefined);
  ok(reader.torn);
  ok(reader.bytes.length < 1_000_000, `${reader.bytes.length}`);
});

Deno.test("a stream that is full takes no more, and again once it was written", () => {
  const { channels, ports } = makeChannels();
  const port = ports.get(20)!;
  const message = new ArrayBuffer(65_536);
  let taken = 0;
  while (taken < 1000 && port.post(message)) taken++;
  ok(taken >= UNWRITTEN_BYTES_MAX / 65_536 - 1, `${taken}`);
  ok(taken <= UNWRITTEN_BYTES_MAX / 65_536 + 1, `${taken}`);
  ok(channels.writer.full);
  channels.writer.flush({ write: (_bytes, start, end) => end - start });
  ok(port.post(message));
});

Deno.test("who never reads a channel has it closed at a bound, and the others go on", () => {
  const near = makeChannels();
  const far = makeChannels();
  const pipe = new TestPipe();
  for (let i = 0; i <= UNREAD_MAX; i++) {
    near.ports.get(20)!.post(new ArrayBuffer(1));
  }
  near.ports.get(CHANNEL.control)!.post("on");
  while (!near.channels.writer.empty || pipe.unread > 0) {
    near.channels.writer.flush(pipe);
    far.channels.receive(pipe);
  }
  ok(far.ports.get(20)!.overrun);
  equal(far.ports.get(CHANNEL.control)!.take(), "on");
});
