/** Variants of classic pcap, read as libpcap reads them. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { concat } from "@std/bytes/concat";
import { testWith } from "../../needs.ts";
import { type PlainPacket, readCapture } from "./captures.ts";
import { runCommand } from "../../command.ts";

/** How a file is written. */
interface Variant {
  readonly magic: number;
  readonly version: readonly [major: number, minor: number];
  readonly littleEndian: boolean;
  /** Whether the original length comes first. */
  readonly swapped: boolean;
}

const PACKETS: readonly PlainPacket[] = [60, 14, 99].map((length, i) => ({
  bytes: Uint8Array.from({ length }, (_, at) => at < 12 ? 2 : at * i),
  originalLength: length + i % 2 * 1000,
  seconds: 1_600_000_000 + i,
  nanoseconds: 123_456_000 + i * 1000,
  linkType: 1,
}));

function fileOf({ magic, version, littleEndian, swapped }: Variant) {
  const numbers = (...values: readonly (readonly [number, 16 | 32])[]) => {
    const sizes = values.map(([, bits]) => bits / 8);
    const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [value, bits] of values) {
      if (bits === 16) view.setUint16(at, value, littleEndian);
      else view.setUint32(at, value, littleEndian);
      at += bits / 8;
    }
    return bytes;
  };
  const [major, minor] = version;
  const unit = magic === 0xa1b23c4d ? 1 : 1000;
  const more = magic === 0xa1b2cd34
    ? numbers([3, 32], [0x0800, 16], [0, 16])
    : new Uint8Array(0);
  const words = (...values: number[]) =>
    numbers(...values.map((value) => [value, 32] as const));
  return concat([
    numbers([magic, 32], [major, 16], [minor, 16]),
    words(0, 0, 65535, 1),
    ...PACKETS.flatMap(({ bytes, originalLength, seconds, nanoseconds }) => {
      const lengths = [bytes.length, originalLength];
      if (swapped) lengths.reverse();
      return [words(seconds, nanoseconds / unit, ...lengths), more, bytes];
    }),
  ]);
}

/** What libpcap reads: tcpdump copies a file in its own format. */
async function readByTcpdump(bytes: Uint8Array): Promise<PlainPacket[]> {
  const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
  try {
    Deno.chmodSync(folder, 0o777);
    Deno.writeFileSync(`${folder}/in`, bytes);
    await runCommand(["tcpdump", "-r", `${folder}/in`, "-w", `${folder}/out`]);
    return readCapture(Deno.readFileSync(`${folder}/out`)).packets;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const VARIANTS: readonly Omit<Variant, "littleEndian">[] = [
  { magic: 0xa1b2c3d4, version: [2, 4], swapped: false },
  { magic: 0xa1b23c4d, version: [2, 4], swapped: false },
  { magic: 0xa1b2cd34, version: [2, 4], swapped: false },
  { magic: 0xa1b2c3d4, version: [2, 2], swapped: true },
  { magic: 0xa1b2c3d4, version: [2, 0], swapped: true },
  { magic: 0xa1b2c3d4, version: [2, 3], swapped: true },
  { magic: 0xa1b2c3d4, version: [2, 3], swapped: false },
  { magic: 0xa1b2c3d4, version: [543, 0], swapped: true },
];

for (const variant of VARIANTS) {
  for (const littleEndian of [true, false]) {
    const { magic, version, swapped } = variant;
    testWith(
      ["tool:tcpdump"],
      `pcap ${magic.toString(16)}, version ${version.join(".")}, ${
        littleEndian ? "little" : "big"
      }-endian${
        swapped ? ", lengths swapped" : ""
      } is read as libpcap reads it`,
      async () => {
        const bytes = fileOf({ ...variant, littleEndian });
        const { packets, warning, oddities } = readCapture(bytes, 50);
        deepStrictEqual(packets, PACKETS);
        strictEqual(warning, undefined);
        strictEqual(oddities, undefined);
        deepStrictEqual(packets, await readByTcpdump(bytes));
      },
    );
  }
}

Deno.test("a version of pcap that there is not yet is read, and said", () => {
  const { packets, oddities } = readCapture(fileOf({
    magic: 0xa1b2c3d4,
    version: [2, 7],
    swapped: false,
    littleEndian: true,
  }));
  deepStrictEqual(packets, PACKETS);
  match(oddities!, /at byte 6: found version 2\.7; read as version 2\.4$/);
});

Deno.test("a file in another format is named", () => {
  const text = (start: string) => new TextEncoder().encode(start);
  const cases: [Uint8Array, RegExp][] = [
    [text("snoop\0\0\0\0\0\0\x02"), /found a snoop capture/],
    [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0), /found zstd .*zstd -dc/],
    [Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0, 0), /found lz4 .*lz4 -dc/],
    [Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /found xz .*xz -dc/],
    [text("BZh91AY"), /found bzip2 .*bzip2 -dc/],
    [text("PK\x03\x04...."), /found a zip archive/],
    [text("12:00:01.5 IP a > b"), /which are text/],
    // Of 2020: a time of 64 bits, type 2 (Ethernet), 80 bytes in all.
    [
      Uint8Array.fromHex("000000800030f05e02040050" + "0000003c"),
      /perhaps an ERF capture/,
    ],
  ];
  for (const [bytes, problem] of cases) {
    let said = "";
    try {
      readCapture(bytes);
    } catch (error) {
      said = String(error);
    }
    match(said, problem);
    ok(said.includes("expected a pcap or pcapng header"));
  }
});
