import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { CaptureError, openCapture } from "../../../drivers/capture/format.ts";
import { testProperty } from "../../property.ts";
import { concat } from "@std/bytes/concat";
import { anyPacket, readCapture, writeCapture } from "./captures.ts";

for (const format of ["pcap", "pcapng"] as const) {
  testProperty(
    `${format}: reading what was written gives the same packets, however it is cut`,
    { runs: 150, file: import.meta.url },
    fc.property(
      fc.array(anyPacket(300), { maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4000 }),
      (packets, littleEndian, chunkBytes) => {
        const bytes = writeCapture(format, packets, { littleEndian });
        const read = readCapture(bytes, chunkBytes);
        deepStrictEqual(read, {
          packets,
          warning: undefined,
          oddities: undefined,
        });
      },
    ),
  );

  testProperty(
    `${format}: a capture that ends early gives what was before, and a warning`,
    { runs: 150, file: import.meta.url },
    fc.property(
      fc.array(anyPacket(60), { minLength: 1, maxLength: 5 }),
      fc.nat({ max: 1_000_000 }),
      (packets, where) => {
        const whole = writeCapture(format, packets);
        const header = writeCapture(format, []).length;
        const cut = header + where % (whole.length - header);
        const read = readCapture(whole.subarray(0, cut), 100);
        const ends = packets.map((_, i) =>
          writeCapture(format, packets.slice(0, i + 1)).length
        );
        const complete = ends.filter((end) => end <= cut).length;
        // A pcapng packet may be all there when only its trailer is not.
        const spare = format === "pcapng" ? 1 : 0;
        ok(read.packets.length >= complete);
        ok(read.packets.length <= complete + spare);
        deepStrictEqual(read.packets, packets.slice(0, read.packets.length));
        const atBorder = cut === header || ends.includes(cut);
        strictEqual(read.warning === undefined, atBorder);
      },
    ),
  );

  testProperty(
    `${format}: changed bytes never do worse than a CaptureError`,
    { runs: 400, file: import.meta.url },
    fc.property(
      fc.array(anyPacket(60), { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      (packets, changes) => {
        const bytes = writeCapture(format, packets);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        readsOrRefuses(bytes);
      },
    ),
  );
}

testProperty(
  "random bytes, with a magic number or without, never do worse than a CaptureError",
  { runs: 400, file: import.meta.url },
  fc.property(
    fc.constantFrom(
      [],
      [0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4],
      [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0],
      [10, 13, 13, 10, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0],
    ),
    fc.uint8Array({ maxLength: 400 }),
    (start, rest) => readsOrRefuses(concat([Uint8Array.from(start), rest])),
  ),
);

function readsOrRefuses(bytes: Uint8Array): void {
  try {
    for (const packet of readCapture(bytes, 64).packets) {
      ok(packet.bytes.length <= bytes.length);
      ok(packet.nanoseconds >= 0 && packet.nanoseconds < 1e9);
    }
  } catch (error) {
    ok(error instanceof CaptureError, String(error));
    ok(error.offset <= bytes.length);
  }
}

/** A capture of one interface in `unit`s, and whatever follows. */
function pcapng(...blocks: Uint8Array[]): Uint8Array {
  return concat([block(0x0a0d0d0a, u32(0x1a2b3c4d, 1, ~0, ~0)), ...blocks]);
}
function block(type: number, body: Uint8Array): Uint8Array {
  return concat([
    u32(type, body.length + 12),
    body,
    u32(body.length + 12),
  ]);
}
function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
const ETHERNET = block(1, u32(1, 0));

Deno.test("a length that cannot be is refused, with where, what and what was expected", () => {
  const classic = writeCapture("pcap", []);
  throws(
    () => readCapture(concat([classic, u32(0, 0, 0x7fffffff, 60)])),
    /at byte 32: found a captured length of 2147483647 bytes; expected at most 262144/,
  );
  const liar = block(6, u32(0, 0, 0, 60, 60));
  throws(
    () => readCapture(pcapng(ETHERNET, liar)),
    /at byte 68: found a captured length of 60 bytes; .* in a block of 32/,
  );
  throws(
    () => readCapture(pcapng(u32(6, 31, 0))),
    CaptureError,
    "31 is no multiple of 4",
  );
  const twice = block(5, u32(1, 2));
  twice[twice.length - 4] = 24;
  throws(() => readCapture(pcapng(twice)), /the same length twice/);
  throws(
    () => readCapture(pcapng(block(6, u32(3, 0, 0, 0, 0)))),
    /a packet of interface 3; expected one of the 0/,
  );
  throws(
    () => readCapture(Uint8Array.of(0x1f, 0x8c, 8, 0)),
    /the bytes 1f8c0800; expected a pcap or pcapng header/,
  );
  throws(
    () => readCapture(new Uint8Array(0)),
    /the end of the file after 0 bytes/,
  );
});

Deno.test("an unknown block of any length is passed over without being kept", () => {
  const chunk = new Uint8Array(1 << 20);
  let served = 0;
  function* endless() {
    yield concat([pcapng(), u32(0x0bad, 0xfffffff0)]);
    for (; served < 64; served++) yield chunk;
  }
  const reader = openCapture(endless());
  strictEqual(reader.next(), undefined);
  strictEqual(served, 64, "all of it was asked for");
  ok(reader.warning?.includes("ends within a block"));
});

Deno.test("pcapng time: 10 to the minus 3, 2 to the minus 10, an offset of -5 s", () => {
  const option = (resolution: number) =>
    block(1, concat([u32(1, 0, 9 | 1 << 16, resolution)]));
  const offset = block(1, u32(1, 0, 14 | 8 << 16, -5, -1, 0));
  const at = (index: number, units: number) =>
    block(6, u32(index, 0, units, 0, 0));
  const { packets } = readCapture(pcapng(
    option(3),
    option(0x80 | 10),
    offset,
    at(0, 1234567),
    at(1, 1536),
    at(2, 7_000_001),
  ));
  deepStrictEqual(
    packets.map((packet) => [packet.seconds, packet.nanoseconds]),
    [[1234, 567_000_000], [1, 500_000_000], [2, 1000]],
  );
});

Deno.test("a resolution that no clock has is what it says: everything is in one second", () => {
  for (const value of [64, 127, 0x80 | 127]) {
    const from = block(1, concat([u32(1, 0, 9 | 1 << 16, value)]));
    const packet = block(6, u32(0, ~0, ~0, 0, 0));
    const [read] = readCapture(pcapng(from, packet)).packets;
    strictEqual(read!.seconds, 0);
  }
});

Deno.test("simple packets are cut to the interface's snap length", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 0, 0);
  const { packets } = readCapture(pcapng(
    block(1, u32(1, 6)),
    block(3, concat([u32(99), bytes])),
  ));
  strictEqual(packets.length, 1);
  deepStrictEqual(packets[0]!.bytes, bytes.slice(0, 6));
  strictEqual(packets[0]!.originalLength, 99);
});
