/** Super-packets through the kernel, which is the judge of how they are taken apart. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { frameOffset, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  checksumOf,
  gsoOf,
  offloadWord,
  segmentBytesOf,
} from "../../../caps/port/offload.ts";
import { gsoKindOf, Segmenter } from "../../../drivers/segment/segmenter.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import {
  buildSuperPacket,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testWith } from "../../needs.ts";
import {
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { testProperty } from "../../property.ts";
import { bridge, Port } from "./bridge.ts";

const file = import.meta.url;
const AT = frameOffset(320) + 256;
let pair: NamespacePair | undefined;
let whole: Port | undefined;
let single: Port | undefined;

/** One that takes super-packets and one that does not, joined. */
async function ports(): Promise<{ whole: Port; single: Port }> {
  if (whole === undefined || single === undefined) {
    pair = await makeNamespacePair();
    const { right } = pair;
    whole = new Port(right, "whole", true);
    single = new Port(right, "single", false);
    await bridge(right, "whole", "single");
    // The kernel then completes checksums, too.
    await right.run(..."ethtool -K single tx off".split(" "));
  }
  return { whole, single };
}

testProperty(
  "the kernel takes a super-packet apart as we do, to the last byte",
  { runs: 60, file, needs: NETNS_NEEDS },
  fc.asyncProperty(
    fc.oneof(superPacketParts(9000), superPacketParts(64000)),
    fc.integer({ min: 536, max: 1440 - 80 }),
    async (parts, segmentBytes) => {
      const { whole, single } = await ports();
      const { frame } = buildSuperPacket(parts);
      whole.memory.bytes.set(frame, AT);
      const packet = new Transport();
      ok(packet.find(whole.memory.bytes, AT, frame.length));
      const gso = gsoKindOf(packet, segmentBytes);
      if (gso === 0) return;
      const segmenter = new Segmenter(whole.memory);
      const expected = Array.from(
        { length: segmenter.count(packet, segmentBytes) },
        (_, i) => {
          const target = frameOffset(0);
          const size = segmenter.write(packet, segmentBytes, i, target);
          return whole.memory.bytes.slice(target, target + size);
        },
      );
      const word = offloadWord(CHECKSUM_PARTIAL, gso, segmentBytes);
      whole.send(AT, frame.length, word);
      const got = await single.take(expected.length);
      deepEqual(got.map(({ bytes }) => bytes), expected);
    },
  ),
);

testWith(
  NETNS_NEEDS,
  "the longest packet that a kernel hands over crosses two TAPs whole, with what is known of it",
  async () => {
    await using both = await makeNamespacePair();
    const { right } = both;
    using from = new Port(right, "from", true);
    using to = new Port(right, "to", true);
    await bridge(right, "from", "to");
    const { frame } = buildSuperPacket({
      version: 4,
      protocol: 6,
      tags: 0,
      networkOptions: 0,
      transportOptions: 3,
      payloadBytes: 65535 - 66,
      flags: 0x18,
      sequence: 1,
      identification: 1,
      seed: 1,
    });
    // The kernel's gso_max_size is 65,536, and less than that goes as one; with
    // its header it is more than 16 pages.
    equal(frame.length, 65535);
    ok(frame.length + 10 > 16 * PAGE_BYTES);
    from.memory.bytes.set(frame, AT);
    const packet = new Transport();
    ok(packet.find(from.memory.bytes, AT, frame.length));
    const gso = gsoKindOf(packet, 1448);
    from.send(AT, frame.length, offloadWord(CHECKSUM_PARTIAL, gso, 1448));
    const [got] = await to.take(1);
    ok(got !== undefined);
    deepEqual(
      [
        checksumOf(got.offload),
        gsoOf(got.offload),
        segmentBytesOf(got.offload),
      ],
      [CHECKSUM_PARTIAL, gso, 1448],
    );
    const field = packet.checksumAt - AT;
    frame.set(got.bytes.subarray(field, field + 2), field);
    deepEqual(got.bytes, frame);
  },
);

Deno.test.afterAll(async () => {
  whole?.[Symbol.dispose]();
  single?.[Symbol.dispose]();
  await pair?.[Symbol.asyncDispose]();
});
