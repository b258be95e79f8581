/** One odd field costs only itself: what comes after it is read. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { concat } from "@std/bytes/concat";
import {
  makePcapngWriter,
  makePcapWriter,
} from "../../../drivers/capture/writer.ts";
import { emptyPacket } from "../../../drivers/capture/packet.ts";
import { type PlainPacket, readCapture, writeCapture } from "./captures.ts";

const FILE_HEADER_BYTES = 24;

function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function block(type: number, ...body: Uint8Array[]): Uint8Array {
  const bytes = concat(body);
  return concat([u32(type, bytes.length + 12), bytes, u32(bytes.length + 12)]);
}

const SECTION = block(0x0a0d0d0a, u32(0x1a2b3c4d, 1, ~0, ~0));

/** A packet of 4 bytes at `units`. */
function packetAt(index: number, units: number): Uint8Array {
  return block(6, u32(index, 0, units, 4, 4, 0xabcdef));
}

for (const unit of ["us", "ns"] as const) {
  Deno.test(`a fraction of a second or more (${unit}) is carried over, said once, and the rest is read`, () => {
    const header = writeCapture("pcap", [], { unit });
    const perSecond = unit === "us" ? 1e6 : 1e9;
    const record = (fraction: number) => [u32(7, fraction, 4, 4), u32(1)];
    const { packets, oddities, warning } = readCapture(concat([
      header,
      ...record(perSecond - 1),
      ...record(perSecond),
      ...record(0xffffffff),
      ...record(5),
    ]));
    const carried = Math.floor(0xffffffff / perSecond);
    deepStrictEqual(
      packets.map(({ seconds, nanoseconds }) => [seconds, nanoseconds]),
      [
        [7, (perSecond - 1) * 1e9 / perSecond],
        [8, 0],
        [7 + carried, (0xffffffff - carried * perSecond) * 1e9 / perSecond],
        [7, 5 * 1e9 / perSecond],
      ],
    );
    match(
      oddities!,
      /^capture: at byte 48: found a time of \d+ .*\(and 1 more\)$/,
    );
    strictEqual(warning, undefined);
  });
}

Deno.test("more bytes captured than the packet had: it had them", () => {
  const pcap = concat([
    writeCapture("pcap", []),
    ...[u32(7, 0, 8, 4), u32(1, 2), u32(8, 0, 4, 4), u32(3)],
  ]);
  const pcapng = concat([
    SECTION,
    block(1, u32(1, 0)),
    block(6, u32(0, 0, 7e6, 8, 4, 1, 2)),
    packetAt(0, 8e6),
  ]);
  for (const bytes of [pcap, pcapng]) {
    const { packets, oddities } = readCapture(bytes);
    deepStrictEqual(packets.map((each) => each.originalLength), [8, 4]);
    match(
      oddities!,
      /found 8 bytes captured of a packet of 4; read as a packet of 8$/,
    );
  }
  const [long] = readCapture(pcap).packets;
  for (const format of ["pcap", "pcapng"] as const) {
    const { packets, oddities } = readCapture(
      writeCapture(format, [{ ...long!, originalLength: 1 }]),
    );
    deepStrictEqual(packets, [{ ...long!, originalLength: 8 }]);
    strictEqual(oddities, undefined, "what we write is not odd");
  }
});

/** An option of an interface, `length` bytes of 0x20. */
function option(code: number, length: number): Uint8Array {
  return concat([
    u32(code | length << 16),
    new Uint8Array(length + (-length & 3)).fill(0x20),
  ]);
}

Deno.test("pcapng: options of any length in front of the resolution cost nothing", () => {
  const description = block(
    1,
    u32(1, 0),
    ...Array.from({ length: 12 }, () => option(1, 65535)),
    u32(9 | 1 << 16, 3),
    u32(0),
  );
  const bytes = concat([SECTION, description, packetAt(0, 1500)]);
  for (const chunkBytes of [1 << 16, 1000]) {
    const { packets, warning } = readCapture(bytes, chunkBytes);
    deepStrictEqual(
      packets.map(({ seconds, nanoseconds }) => [seconds, nanoseconds]),
      [[1, 500_000_000]],
    );
    strictEqual(warning, undefined);
  }
  const cut = readCapture(bytes.subarray(0, 100_000));
  match(cut.warning!, /ends within a block/);
});

Deno.test("pcapng: an option that claims more than its block costs the options only", () => {
  const liar = block(1, u32(1, 0), u32(1 | 60000 << 16, 0x20202020));
  const { packets, oddities } = readCapture(
    concat([SECTION, liar, packetAt(0, 2_000_000)]),
  );
  deepStrictEqual(packets.map(({ seconds }) => seconds), [2]);
  match(oddities!, /found an option of 60000 bytes; .*passed over/);
});

Deno.test("pcapng: a last option without its padding is read", () => {
  const bare = concat([
    u32(1, 0),
    u32(9 | 1 << 16),
    Uint8Array.of(3, 0, 0, 0),
  ]);
  const { packets, oddities } = readCapture(
    concat([SECTION, block(1, bare), packetAt(0, 2000)]),
  );
  deepStrictEqual(packets.map(({ seconds }) => seconds), [2]);
  strictEqual(oddities, undefined);
});

Deno.test("pcapng: interfaces beyond four thousand are interfaces like the others", () => {
  const count = 70_000;
  const interfaces = Array.from(
    { length: count },
    (_, index) => block(1, u32(index === count - 1 ? 101 : 1, 0)),
  );
  const { packets } = readCapture(
    concat([SECTION, ...interfaces, packetAt(0, 1), packetAt(count - 1, 2)]),
  );
  deepStrictEqual(packets.map(({ linkType }) => linkType), [1, 101]);
});

const TIMES = [
  { seconds: -1, nanoseconds: 999_999_999, pcap: [0, 0], pcapng: [0, 0] },
  {
    seconds: 0xffffffff,
    nanoseconds: 5,
    pcap: [0xffffffff, 5],
    pcapng: [0xffffffff, 5],
  },
  {
    seconds: 0x100000000,
    nanoseconds: 5,
    pcap: [0xffffffff, 999_999_999],
    pcapng: [0x100000000, 5],
  },
  {
    seconds: 18446744073,
    nanoseconds: 709551615,
    pcap: [0xffffffff, 999_999_999],
    pcapng: [18446744073, 709551615],
  },
  {
    seconds: 18446744073,
    nanoseconds: 709551616,
    pcap: [0xffffffff, 999_999_999],
    pcapng: [18446744073, 709551615],
  },
  {
    seconds: 2 ** 60,
    nanoseconds: 0,
    pcap: [0xffffffff, 999_999_999],
    pcapng: [18446744073, 709551615],
  },
] as const;

for (
  const [format, make] of [["pcap", makePcapWriter], [
    "pcapng",
    makePcapngWriter,
  ]] as const
) {
  Deno.test(`${format}: a time that it cannot hold becomes the nearest that it can, said with packet and time`, () => {
    for (const { seconds, nanoseconds, ...held } of TIMES) {
      const parts: Uint8Array[] = [];
      const writer = make((bytes) => parts.push(bytes.slice()), { unit: "ns" });
      const packet = { ...emptyPacket(), bytes: u32(1), length: 4 };
      writer.write({ ...packet, seconds: 1 });
      strictEqual(writer.warning, undefined);
      writer.write({ ...packet, seconds, nanoseconds });
      writer.write({ ...packet, seconds: 2 });
      writer.flush();
      const { packets } = readCapture(concat(parts));
      const got = packets.map((each) => [each.seconds, each.nanoseconds]);
      deepStrictEqual(got, [[1, 0], [...held[format]], [2, 0]]);
      const exact = got[1]![0] === seconds && got[1]![1] === nanoseconds;
      strictEqual(writer.warning === undefined, exact);
      if (!exact) {
        ok(writer.warning!.includes(`first packet 2, of ${seconds} seconds`));
      }
    }
  });
}

Deno.test("a packet is cut to the length that is to be written, and keeps its own", () => {
  const packet: PlainPacket = {
    bytes: new Uint8Array(90).fill(7),
    originalLength: 100,
    seconds: 1,
    nanoseconds: 0,
    linkType: 1,
  };
  for (const format of ["pcap", "pcapng"] as const) {
    const bytes = writeCapture(format, [packet], { snapBytes: 20 });
    const { packets } = readCapture(bytes);
    deepStrictEqual(packets, [{ ...packet, bytes: packet.bytes.slice(0, 20) }]);
  }
  const header = writeCapture("pcap", [], { snapBytes: 20 });
  strictEqual(new DataView(header.buffer).getUint32(16, true), 20);
  strictEqual(header.length, FILE_HEADER_BYTES);
});
