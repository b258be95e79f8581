/** Super-packets over a veth, which carries them whole: what a kernel sends, what we send, and what comes out of the ring. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
  GSO_NONE,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import { check, closeDescriptor } from "../../../drivers/sys/libc.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsBegun,
  checksumIsRight,
  kindOf,
  segmentsOf,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testWith } from "../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { testProperty } from "../../property.ts";
import { inNamespace } from "../tap/rig.ts";
import { End, makeOffloadingPair } from "./end.ts";

/** A veth with its two ends. */
interface Veth {
  readonly pair: NamespacePair;
  readonly left: End;
  readonly right: End;
}

/** One that leaves checksums and segments as they are, and one whose kernel completes and makes them; for all runs of the property. */
const veths: { whole?: Veth; single?: Veth } = {};

function openEnds(pair: NamespacePair): Veth {
  const both = ethernet().src("02:00:00:00:00:01").grant;
  const left = new End(pair.left.name, both);
  return { pair, left, right: new End(pair.right.name, both) };
}

testProperty(
  "a super-packet that is sent whole arrives as its segments, whoever takes it apart",
  { runs: 60, file: import.meta.url, needs: NETNS_NEEDS },
  fc.asyncProperty(
    fc.oneof(superPacketParts(9000), superPacketParts(64000)),
    fc.integer({ min: 536, max: 1440 - 80 }),
    fc.boolean(),
    async (parts, segmentBytes, whole) => {
      const { left, right } = whole
        ? veths.whole ??= openEnds(await makeOffloadingPair())
        : veths.single ??= openEnds(await makeNamespacePair());
      const { frame } = buildSuperPacket(parts);
      const isSuper = parts.payloadBytes > segmentBytes;
      const wish = isSuper
        ? offloadWord(CHECKSUM_PARTIAL, kindOf(parts), segmentBytes)
        : offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
      const expected = isSuper
        ? segmentsOf(parts, segmentBytes)
        : [buildSuperPacket(parts)];
      const before = right.driver.counters()["rx-super-packets"]!;
      left.send(frame, wish);
      const got = await right.take(expected.length);
      equal(got.length, expected.length);
      for (const [n, { bytes, offload }] of got.entries()) {
        const packet = expected[n]!;
        equal(offload, whole ? CHECKSUM_PARTIAL : CHECKSUM_COMPLETE);
        ok((whole ? checksumIsBegun : checksumIsRight)(packet, bytes));
        const field = checksumField(packet);
        packet.frame.set(bytes.subarray(field, field + 2), field);
        deepEqual(bytes, packet.frame);
      }
      const counters = right.driver.counters();
      const superPackets = counters["rx-super-packets"]! - before;
      equal(superPackets, whole && isSuper ? 1 : 0);
      equal(counters["rx-too-long"], 0);
      equal(counters["rx-bad-header"], 0);
    },
  ),
);

const UDP_SEGMENT = 103;

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
} as const;

/** A UDP socket of the kernel's that cuts what it sends into datagrams of `segmentBytes` (udp(7), UDP_SEGMENT). */
class SegmentingSender implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", calls);
  readonly #socket: number;

  /** In this thread's namespace. */
  constructor(to: string, port: number, segmentBytes: number) {
    const { socket, setsockopt, connect } = this.#library.symbols;
    const must = (result: number, what: string) =>
      check(result, { where: "the kernel's sender", what });
    this.#socket = must(socket(2, 2, 0), "cannot open a socket");
    const size = new Int32Array([segmentBytes]);
    must(setsockopt(this.#socket, 17, UDP_SEGMENT, size, 4), "no UDP_SEGMENT");
    const address = new DataView(new ArrayBuffer(16));
    address.setUint16(0, 2, true);
    address.setUint16(2, port);
    for (const [n, part] of to.split(".").entries()) {
      address.setUint8(4 + n, Number(part));
    }
    must(connect(this.#socket, address.buffer, 16), "cannot connect");
  }

  send(payload: Uint8Array<ArrayBuffer>): void {
    const { send } = this.#library.symbols;
    const sent = send(this.#socket, payload, BigInt(payload.length), 0);
    equal(Number(sent), payload.length);
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#socket);
    this.#library.close();
  }
}

testWith(
  NETNS_NEEDS,
  "datagrams that a kernel sends as one arrive one by one, in order, their checksums begun",
  async () => {
    await using veth = await makeOffloadingPair();
    const { left, right } = veth;
    const mac = "02:00:00:00:00:09";
    const to = "10.77.0.9";
    await left.run("ip", "neigh", "add", to, "lladdr", mac, "dev", INTERFACE);
    using end = new End(right.name, ethernet().dst(mac).grant);
    for (const [segmentBytes, totalBytes] of [[1400, 63001], [513, 5000]]) {
      using sender = inNamespace(
        left.name,
        () => new SegmentingSender(to, 9000, segmentBytes!),
      );
      const payload = Uint8Array.from(
        { length: totalBytes! },
        (_, n) => n * 2654435761 >>> 24,
      );
      sender.send(payload);
      const count = Math.ceil(totalBytes! / segmentBytes!);
      const got = await end.take(count);
      const parts: number[] = [];
      for (const { bytes, offload } of got) {
        equal(offload, CHECKSUM_PARTIAL);
        const packet = new Transport();
        ok(packet.find(bytes, 0, bytes.length));
        equal(packet.end, bytes.length);
        ok(checksumIsBegun(packet, bytes));
        parts.push(...bytes.subarray(packet.payload));
      }
      equal(got.length, count);
      deepEqual(new Uint8Array(parts), payload);
    }
    equal(end.driver.counters()["rx-super-packets"], 2);
  },
);

Deno.test.afterAll(async () => {
  for (const veth of [veths.whole, veths.single]) {
    veth?.left[Symbol.dispose]();
    veth?.right[Symbol.dispose]();
    await veth?.pair[Symbol.asyncDispose]();
  }
});
