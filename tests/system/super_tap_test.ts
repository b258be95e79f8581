/** Super-packets between a confined core and a TAP of the test's: whole both ways, to the last byte, with what is known of them. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { frameOffset } from "../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  offloadWord,
} from "../../caps/port/offload.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsBegun,
  kindOf,
  superPacketParts,
} from "../arbitraries/super_packets.ts";
import { bridge, Port, type TakenPacket } from "../drivers/tap/bridge.ts";
import { makeNamespacePair, type Namespace, NETNS_NEEDS } from "../netns.ts";
import { testProperty } from "../property.ts";
import { answers } from "./far_kernel.ts";
import {
  isFromSender,
  markIn,
  markOf,
  orderOf,
  startOrdered,
} from "./ordered_system.ts";
import {
  NO_ROOM,
  outcomeOf,
  packetOf,
  type Wish,
  wish,
} from "./super_wishes.ts";
import { snapshotIn } from "./up_process.ts";

const file = import.meta.url;
const needs = [...NETNS_NEEDS, "tool:ping"] as const;
const TAP = "sp0";
const FAR = "far";

/** Where the far TAP sends from: it receives elsewhere. */
const AT = frameOffset(0) + 256;

/** The most datagrams that a kernel makes of one packet. */
const UDP_SEGMENTS_MAX = 128;

/** A confined core behind a TAP, and the test behind another one, joined. */
class TapPair implements AsyncDisposable {
  readonly #owned = new AsyncDisposableStack();
  #far!: Port;
  #process!: ReturnType<typeof startOrdered>;

  static async make(mtu: number): Promise<TapPair> {
    const made = new TapPair();
    await made.#begin(mtu);
    return made;
  }

  async #begin(mtu: number): Promise<void> {
    const { right } = this.#owned.use(await makeNamespacePair());
    await right.run(...`ip tuntap add ${TAP} mode tap vnet_hdr`.split(" "));
    this.#far = this.#owned.use(new Port(right, FAR, true));
    for (const name of [TAP, FAR]) {
      await right.run(...`ip link set ${name} mtu ${mtu} up`.split(" "));
    }
    await bridge(right, TAP, FAR);
    await addAddress(right);
    this.#process = this.#owned.use(startOrdered(right, `tap:${TAP}`));
    await answers(right);
  }

  /** Sends a frame to the core. */
  send(frame: Uint8Array, word: number): void {
    this.#far.memory.bytes.set(frame, AT);
    this.#far.send(AT, frame.length, word);
  }

  /** Takes what the core sends, up to the mark. */
  async takeUntil(mark: number): Promise<TakenPacket[]> {
    const taken: TakenPacket[] = [];
    for (;;) {
      const came = await this.#far.take(1);
      assert.ok(came.length > 0, `${taken.length} came, and not the mark`);
      for (const one of came) {
        if (!isFromSender(one.bytes)) continue;
        if (markIn(one.bytes) === mark) return taken;
        taken.push(one);
      }
    }
  }

  /** Ends it; nothing was dropped but that. */
  async end(drops: Readonly<Record<string, number>> = {}): Promise<void> {
    const result = await this.#process.interrupt();
    assert.deepEqual([result.code, result.err], [0, ""]);
    const { services, pages, nic } = snapshotIn(result);
    assert.equal(pages.free, pages.total);
    assert.equal(nic.counters["tx-refused"], 0);
    const { state, capabilities, counters, refusals } = services
      .find(({ name }) => name === "sender")!;
    assert.deepEqual([state, refusals], ["running", {}]);
    const { [NO_ROOM]: noRoom = 0, ...refused } = drops;
    assert.equal(counters[NO_ROOM] ?? 0, noRoom);
    for (const one of capabilities) assert.deepEqual(one.drops, refused);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** Gives the kernel an address on the bridge, and there alone. */
async function addAddress(space: Namespace): Promise<void> {
  await space.run(..."ip address flush dev veth0".split(" "));
  await space.run(..."ip address add 10.77.0.1/24 dev br0".split(" "));
}

/** Sees that a packet came as it was sent, its checksum begun, with that offload word. */
function same(
  came: TakenPacket | undefined,
  packet: ReturnType<typeof buildSuperPacket>,
  word: number,
): void {
  assert.ok(came !== undefined);
  assert.equal(came.offload, word);
  assert.ok(checksumIsBegun(packet, came.bytes));
  const field = checksumField(packet);
  const expected = packet.frame.slice();
  expected.set(came.bytes.subarray(field, field + 2), field);
  assert.deepEqual(came.bytes, expected);
}

for (const mtu of [1500, 9000]) {
  testProperty(
    `at an MTU of ${mtu} a confined core hears of each packet what it is, and what it sends back is the same, byte for byte`,
    { runs: 1, file, needs },
    fc.asyncProperty(
      fc.noShrink(fc.array(
        fc.tuple(
          fc.oneof(superPacketParts(3000), superPacketParts(65_300)),
          fc.integer({ min: 536, max: mtu - 160 }),
        ),
        { minLength: 20, maxLength: 40, size: "max" },
      )),
      async (packets) => {
        await using pair = await TapPair.make(mtu);
        for (const [mark, [parts, segmentBytes]] of packets.entries()) {
          const packet = buildSuperPacket(parts);
          const isSuper = parts.payloadBytes > segmentBytes;
          const word = isSuper
            ? offloadWord(CHECKSUM_PARTIAL, kindOf(parts), segmentBytes)
            : offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
          const turned = packet.frame.slice();
          turned.set(packet.frame.subarray(6, 12), 0);
          turned.set(packet.frame.subarray(0, 6), 6);
          pair.send(turned, word);
          pair.send(markOf(mark), 0);
          const came = await pair.takeUntil(mark);
          assert.equal(came.length, 1);
          same(came[0], packet, word);
        }
        await pair.end();
      },
    ),
  );

  testProperty(
    `at an MTU of ${mtu} a super-packet that a confined core wishes to send comes whole, and whatever else it wishes, for a reason, does not`,
    { runs: 1, file, needs },
    fc.asyncProperty(
      fc.noShrink(
        fc.array(wish, { minLength: 20, maxLength: 60, size: "max" }),
      ),
      async (wishes) => {
        await using pair = await TapPair.make(mtu);
        const drops: Record<string, number> = {};
        for (const [mark, wish] of wishes.entries()) {
          const { frame, payload } = packetOf(wish);
          const first = frame.subarray(0, payload);
          pair.send(orderOf(wish.word, frame.length, first), 0);
          pair.send(markOf(mark), 0);
          const came = await pair.takeUntil(mark);
          const outcome = outcomeOf(wish, mtu);
          if (typeof outcome !== "string") check(came, wish, outcome);
          else {
            drops[outcome] = (drops[outcome] ?? 0) + 1;
            assert.deepEqual(came, []);
          }
        }
        await pair.end(drops);
      },
    ),
  );
}

/** Sees that what a wire would get of a wish came in one, where the kernel takes that. */
function check(
  came: readonly TakenPacket[],
  wish: Wish,
  outcome: Exclude<ReturnType<typeof outcomeOf>, string>,
): void {
  const { parts } = wish;
  const count = outcome.length;
  if (parts.protocol === 17 && count > UDP_SEGMENTS_MAX) {
    assert.equal(came.length, count);
    return;
  }
  assert.equal(came.length, 1);
  const [{ packet, facts }] = outcome as [typeof outcome[number]];
  if (facts === undefined) {
    assert.deepEqual(came, [{ bytes: packet.frame, offload: 0 }]);
    return;
  }
  const segmentBytes = packet.frame.length - packet.payload;
  const word = count === 1
    ? offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0)
    : offloadWord(CHECKSUM_PARTIAL, kindOf(parts), segmentBytes);
  same(came[0], packetOf(wish), word);
}
