/** A holder of many capabilities: one byte string serves them all, and each pays for its own. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { RecordWriter } from "../../../caps/port/record_writer.ts";
import {
  type Delivery,
  inlineStride,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../../caps/port/records.ts";
import { RecordWalk } from "../../../caps/port/record_walk.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { type HolderPlan, packetsOf, Rig } from "./rig.ts";

const file = import.meta.url;

/** Many more than there are byte strings. */
const MANY = 5 * STRINGS_PER_HOLDER;

function planOf(index: number, changes: Partial<HolderPlan> = {}): HolderPlan {
  return {
    receives: ipv4().udp().dstPort(1000 + index).grant,
    sends: ipv4().udp().srcPort(1000 + index).grant,
    quotaPages: 4,
    copyBytesMax: 1514,
    ...(index === 0 ? {} : { on: 1 }),
    ...changes,
  };
}

/** `count` capabilities on one port. */
function plans(count: number, changes: Partial<HolderPlan> = {}): HolderPlan[] {
  return Array.from({ length: count }, (_, i) => planOf(i, changes));
}

function arrive(rig: Rig, indexes: readonly number[]): void {
  for (const index of indexes) {
    const frame = witness(rig.holders[index]!.receives[0]!)!;
    rig.far.send(frame, 0, frame.length);
  }
  rig.turn();
}

/** Which capability each record of a delivery names. */
function namedIn({ capabilities, records, count }: Delivery): bigint[] {
  const named: bigint[] = [];
  const walk = new RecordWalk(records, count);
  while (walk.next()) named.push(capabilities[walk.view.capability(walk.at)]!);
  return named;
}

Deno.test("a batch for more capabilities than a holder has byte strings comes in one message, and nothing is lost", () => {
  for (const copyBytesMax of [0, 1514]) {
    using rig = new Rig(plans(MANY, { copyBytesMax }), 256, 16);
    const order = Array.from({ length: 2 * MANY }, (_, i) => i % MANY);
    arrive(rig, order);
    const delivery = rig.holders[0]!.port.take()!;
    equal(rig.holders[0]!.port.take(), undefined);
    deepEqual(
      namedIn(delivery),
      order.map((index) => rig.holders[index]!.capability),
    );
    deepEqual(
      packetsOf(delivery).map(({ bytes }) => bytes),
      order.map((index) => witness(rig.holders[index]!.receives[0]!)),
    );
    for (const account of rig.service.counts().accounts) {
      equal(account.deliveredPackets, 2);
      deepEqual(account.drops, {});
    }
    rig.holders[0]!.port.post(delivery, [delivery.records, ...delivery.pages]);
    rig.turn();
    ok(rig.service.quiet);
    for (const { heldPages } of rig.service.counts().accounts) {
      equal(heldPages, 0);
    }
  }
});

testProperty(
  "of what one message carries, each frame goes out only under a grant of the capability that it names, which alone is charged",
  { runs: 200, file },
  fc.property(
    fc.array(
      fc.record({
        // The last of them is void, and the one behind names none at all.
        names: fc.nat({ max: 5 }),
        // Whose frame it is.
        is: fc.nat({ max: 3 }),
      }),
      { maxLength: 40 },
    ),
    (frames) => {
      using rig = new Rig(plans(4, { quotaPages: 8 }), 128);
      const writer = new RecordWriter();
      writer.begin(new ArrayBuffer(STRING_BYTES));
      for (const { capability } of rig.holders) writer.name(capability);
      writer.name(0x1234_5678_9abcn);
      for (const { names, is } of frames) {
        const frame = witness(rig.holders[is]!.sends[0]!)!;
        const at = writer.addInline(names, frame.length);
        writer.view!.bytes.set(frame, at + RECORD_BYTES);
      }
      const message = writer.take();
      rig.holders[0]!.port.post(message, [message.records]);
      rig.turn();
      const { accounts, refusals } = rig.service.counts();
      const expected: Uint8Array[] = [];
      const left = rig.holders.map(() => 8);
      const noPage = rig.holders.map(() => 0);
      const wrong = rig.holders.map(() => 0);
      for (const { names, is } of frames) {
        if (names > 3) continue;
        // A frame that is refused later has its page for as long as the message is read.
        if (left[names] === 0) noPage[names]!++;
        else {
          left[names]!--;
          if (is === names) expected.push(witness(rig.holders[is]!.sends[0]!)!);
          else wrong[names]!++;
        }
      }
      deepEqual(rig.sent(), expected);
      accounts.forEach(({ drops, heldPages }, i) => {
        equal(drops["send-no-page"] ?? 0, noPage[i]);
        equal(drops["send-not-permitted"] ?? 0, wrong[i]);
        equal(heldPages, 0);
      });
      const beyond = frames.filter(({ names }) => names === 5).length;
      deepEqual(
        refusals[0]!.refusals,
        beyond === 0
          ? { "void-capability": 1 }
          : { "void-capability": 1, "malformed-record": beyond },
      );
    },
  ),
);

Deno.test("pages side by side that two capabilities were lent are two buffers, and each gets its own back", () => {
  using rig = new Rig(plans(2, { copyBytesMax: 0 }), 64, 16);
  arrive(rig, [0, 0, 1, 1, 0]);
  const [first] = rig.holders;
  const delivery = first!.port.take()!;
  deepEqual(
    delivery.pages.map(({ byteLength }) => byteLength / 4096),
    [2, 2, 1],
  );
  const held = () =>
    rig.service.counts().accounts.map(({ heldPages }) => heldPages);
  deepEqual(held(), [3, 2]);
  first!.port.post(delivery, [delivery.records, ...delivery.pages]);
  rig.turn();
  deepEqual(held(), [0, 0]);
});

Deno.test("messages under way that name many capabilities cost nothing when all of these are revoked", () => {
  using rig = new Rig(plans(MANY + 1), 256);
  const all = Array.from({ length: MANY }, (_, i) => i);
  const { port } = rig.holders[0]!;
  const under: Delivery[] = [];
  for (let i = 0; i < STRINGS_PER_HOLDER; i++) {
    arrive(rig, all);
    const delivery = port.take();
    if (delivery !== undefined) under.push(delivery);
  }
  // The last one stays with the driver: its holder is behind.
  equal(under.length, STRINGS_PER_HOLDER - 1);
  for (const index of all) rig.revoke(index + 1);
  under.push(port.take()!);
  for (const delivery of under) port.post(delivery, [delivery.records]);
  const survivor = rig.holders[MANY]!;
  const own = new RecordView(new ArrayBuffer(STRING_BYTES));
  const frame = witness(survivor.sends[0]!)!;
  own.bytes.set(frame, RECORD_BYTES);
  own.putInline(0, frame.length);
  const records = own.bytes.buffer;
  const capabilities = [survivor.capability];
  port.post({ capabilities, records, count: 1, pages: [] }, [records]);
  rig.turn();
  // Nothing was guessed: the holder is not kept waiting.
  deepEqual(rig.sent(), [frame]);
  deepEqual(rig.service.counts().refusals[0]!.refusals, {
    "void-capability": MANY * STRINGS_PER_HOLDER,
  });
  deepEqual(rig.cutOff, []);
});

Deno.test("packets of many capabilities that meet a closed port are counted on each, and their pages are idle again", () => {
  using rig = new Rig(plans(3, { copyBytesMax: 0 }), 64, 16);
  rig.holders[0]!.port[Symbol.dispose]();
  arrive(rig, [0, 1, 1, 2, 2, 2]);
  const { accounts, pages } = rig.service.counts();
  deepEqual(
    accounts.map(({ drops }) => drops),
    [1, 2, 3].map((count) => ({ "port-closed": count })),
  );
  equal(pages.lent, 0);
});

Deno.test("a string is full when the next record does not fit, whichever capability it is for", () => {
  using rig = new Rig(plans(3), 256);
  const frame = witness(rig.holders[0]!.receives[0]!)!;
  const room = Math.floor(STRING_BYTES / inlineStride(frame.length));
  const indexes = Array.from({ length: room + 1 }, (_, i) => i % 3);
  // Less than a batch each time: the holder is behind, and its string gathers.
  const { port } = rig.holders[0]!;
  for (let i = 0; i < STRINGS_PER_HOLDER - 1; i++) arrive(rig, [0]);
  for (let i = 0; i < indexes.length; i += 32) {
    arrive(rig, indexes.slice(i, i + 32));
  }
  const counts: number[] = [];
  for (let d = port.take(); d !== undefined; d = port.take()) {
    counts.push(d.count);
  }
  deepEqual(counts.slice(STRINGS_PER_HOLDER - 1), [room]);
  deepEqual(
    rig.service.counts().accounts.map(({ drops }) => drops),
    [0, 1, 2].map((i) => (room % 3 === i ? { "no-string": 1 } : {})),
  );
});

Deno.test("a message names each of its capabilities once, however many of its packets are one's, and the next one again", () => {
  using rig = new Rig(plans(2), 64);
  const [one, other] = rig.holders.map(({ capability }) => capability);
  for (let round = 0; round < 2; round++) {
    arrive(rig, [0, 1, 0, 0, 1]);
    const delivery = rig.holders[0]!.port.take()!;
    deepEqual([...delivery.capabilities], [one, other]);
    deepEqual(namedIn(delivery), [one, other, one, one, other]);
  }
});
