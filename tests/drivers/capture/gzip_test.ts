import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { constants, gunzipSync } from "node:zlib";
import { concat } from "@std/bytes/concat";
import fc from "fast-check";
import {
  ByteSource,
  CaptureError,
} from "../../../drivers/capture/byte_source.ts";
import { Unpacked } from "../../../drivers/capture/gzip.ts";
import { testWith } from "../../needs.ts";
import { testProperty } from "../../property.ts";
import { type PlainPacket, readCapture, writeCapture } from "./captures.ts";
import { commandOf } from "../../command.ts";

/** Packs with the platform's own encoder. */
async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Unpacks all that is there. @throws {CaptureError} for what is damaged, or cut short. */
function unpack(packed: Uint8Array, chunkBytes: number): Uint8Array {
  function* chunks() {
    const chunk = new Uint8Array(chunkBytes);
    for (let at = 0; at < packed.length; at += chunkBytes) {
      const part = packed.subarray(at, at + chunkBytes);
      chunk.set(part);
      yield chunk.subarray(0, part.length);
    }
  }
  const parts: Uint8Array[] = [];
  const unpacked = new Unpacked(new ByteSource(chunks()));
  for (const part of unpacked) parts.push(part.slice());
  if (unpacked.cutShort !== undefined) {
    throw new CaptureError(packed.length, unpacked.cutShort, "more");
  }
  return concat(parts);
}

/** Bytes with repetitions near and far, as captures have them, and without. */
const dataArbitrary = fc.array(
  fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 400 }),
    fc.integer({ min: 1, max: 300 }),
  ),
  { maxLength: 12 },
).map((runs) =>
  concat(runs.flatMap(([run, times]) => Array<Uint8Array>(times).fill(run)))
);

testProperty(
  "what the platform's gzip packs is unpacked, however it is cut",
  { runs: 60, file: import.meta.url },
  fc.asyncProperty(
    fc.array(dataArbitrary, { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 5000 }),
    async (members, chunkBytes) => {
      const packed = concat(await Promise.all(members.map(gzip)));
      deepStrictEqual(unpack(packed, chunkBytes), concat(members));
    },
  ),
);

testProperty(
  "gzip that was changed or cut gives a CaptureError, never other bytes unsaid",
  { runs: 150, file: import.meta.url },
  fc.asyncProperty(
    dataArbitrary,
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    fc.boolean(),
    async (data, where, change, cut) => {
      const packed = await gzip(data);
      // Bytes 4 to 9 of the header, the time among them, are not checked by anything.
      const at = 10 + where % (packed.length - 10);
      if (!cut) packed[at]! ^= change;
      const broken = cut ? packed.subarray(0, at) : packed;
      try {
        const unpacked = unpack(broken, 100);
        ok(!cut, "a part is not all of it");
        // A copy from elsewhere of the same bytes is no damage.
        deepStrictEqual(unpacked, data);
      } catch (error) {
        ok(error instanceof CaptureError, String(error));
      }
    },
  ),
);

testProperty(
  "of gzip that was cut all is unpacked that zlib itself unpacks of it, and then it is said",
  { runs: 100, file: import.meta.url },
  fc.asyncProperty(dataArbitrary, fc.nat(), async (data, where) => {
    const packed = await gzip(data);
    const cut = packed.subarray(0, 10 + where % (packed.length - 10));
    const parts: Uint8Array[] = [];
    const unpacked = new Unpacked(new ByteSource([cut]));
    for (const part of unpacked) parts.push(part.slice());
    match(unpacked.cutShort!, new RegExp(`at byte ${cut.length} more of gzip`));
    const wanted = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH });
    deepStrictEqual(concat(parts), Uint8Array.from(wanted));
  }),
);

Deno.test("what unpacks to a thousand times its size comes in pieces of 64 KiB", async () => {
  const zeros = new Uint8Array(1 << 20);
  const packed = await gzip(zeros);
  const source = concat(Array<Uint8Array>(64).fill(packed));
  let bytes = 0;
  for (const part of new Unpacked(new ByteSource([source]))) {
    ok(part.length <= 65536, `${part.length} bytes at once`);
    bytes += part.length;
  }
  strictEqual(bytes, 64 << 20);
});

testProperty(
  "random bytes behind gzip's header never do worse than a CaptureError",
  { runs: 400, file: import.meta.url },
  fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    try {
      unpack(
        concat([Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0, 0, 3), bytes]),
        64,
      );
    } catch (error) {
      ok(error instanceof CaptureError, String(error));
    }
  }),
);

const PACKETS: readonly PlainPacket[] = Array.from({ length: 500 }, (_, i) => ({
  bytes: new Uint8Array(60 + i % 900).fill(i),
  originalLength: 1500,
  seconds: 1_700_000_000 + i,
  nanoseconds: i,
  linkType: 1,
}));

for (const format of ["pcap", "pcapng"] as const) {
  Deno.test(`a ${format} packed with gzip is read as it was before`, async () => {
    const packed = await gzip(writeCapture(format, PACKETS));
    deepStrictEqual(readCapture(packed, 1000).packets, PACKETS);
    // Behind it there may be what tapes and downloads add.
    const padded = concat([packed, new Uint8Array(512)]);
    deepStrictEqual(readCapture(padded).packets, PACKETS);
  });
}

testWith(
  ["tool:gzip"],
  "each level of the program gzip is unpacked, with its name in it",
  async () => {
    const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
    try {
      const path = `${folder}/capture.pcap`;
      Deno.writeFileSync(path, writeCapture("pcap", PACKETS));
      for (const level of ["-1", "-6", "-9"]) {
        const words = ["gzip", level, "--name", "-c", path];
        const { stdout } = await commandOf(words).output();
        deepStrictEqual(readCapture(stdout).packets, PACKETS);
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);

for (const format of ["pcap", "pcapng"] as const) {
  Deno.test(`a packed ${format} that ends early gives the packets that it has, and says so`, async () => {
    const packed = await gzip(writeCapture(format, PACKETS));
    const { packets, warning } = readCapture(packed.subarray(0, 2000));
    ok(packets.length > 50, `${packets.length} packets`);
    deepStrictEqual(packets, PACKETS.slice(0, packets.length));
    match(
      warning!,
      /^the packed capture ends early: at byte 2000 more of gzip was expected$/,
    );
    // All packets are there, and the checksum is not.
    const whole = readCapture(packed.subarray(0, packed.length - 3));
    deepStrictEqual(whole.packets, PACKETS);
    match(whole.warning!, /ends early: at byte \d+ more of gzip/);
  });
}
