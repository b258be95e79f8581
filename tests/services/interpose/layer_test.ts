/** A layer between a driver and a holder that the test plays: what is held, in which messages it goes on, and what comes back. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  postRecords,
  STRING_BYTES,
  type Submission,
} from "../../../caps/port/records.ts";
import { testProperty } from "../../property.ts";
import {
  bytesOf,
  LayerRig,
  lengthsIn,
  messageOf,
  type Packet,
  packetsIn,
  Says,
} from "./layer_rig.ts";
import { passTime } from "./pass_time.ts";

const file = import.meta.url;

const ONE: Packet = { capability: 1n, number: 1, length: 60, inPage: true };

/** Messages of packets, of up to three capabilities, and each packet with a number of its own. */
const messages: fc.Arbitrary<Packet[][]> = fc.array(
  fc.array(
    fc.tuple(
      fc.constantFrom(1n, 2n, 3n),
      fc.oneof(
        fc.record({
          length: fc.integer({ min: 14, max: 4096 }),
          inPage: fc.constant(true),
        }),
        fc.record({
          length: fc.oneof(
            fc.integer({ min: 14, max: 100 }),
            fc.integer({ min: 14, max: 20_000 }),
          ),
          inPage: fc.constant(false),
        }),
      ),
    ),
    { minLength: 1, maxLength: 12 },
  ),
  { minLength: 1, maxLength: 8 },
).map((drawn) => {
  let number = 0;
  return drawn.map((packets) => {
    const all = packets.map(([capability, one]) => ({
      capability,
      number: ++number,
      ...one,
    }));
    while (bytesOf(all) > STRING_BYTES) all.pop();
    return all;
  });
});

/** Of submissions that send nothing: the frames of the pages that come back. */
function returnedBy(submissions: readonly Submission[]): number[] {
  const packets = submissions.flatMap(packetsIn);
  ok(packets.every(({ length }) => length === 0));
  return pagesOf(packets);
}

function pagesOf(packets: readonly Packet[]): number[] {
  return packets.filter(({ inPage }) => inPage)
    .map(({ number }) => number).sort((a, b) => a - b);
}

testProperty(
  "what was held goes on in its order, each packet under its capability and in its page, in as few messages as that takes",
  { runs: 150, file },
  fc.property(messages, (drawn) => {
    const rig = new LayerRig(new Says((now) => now + 1000));
    const packets = drawn.flat();
    for (const message of drawn) rig.deliver(message);
    deepEqual(rig.takeAndAnswer(), []);
    // Each string is given back at once, and nothing with it.
    const strings = rig.got();
    deepEqual(
      strings.map(({ count, pages }) => [count, pages]),
      drawn.map(() => [0, []]),
    );
    passTime(rig.time, 1000);
    const taken = rig.takeAndAnswer().map(packetsIn);
    deepEqual(taken.flat(), packets);
    for (const [i, message] of taken.slice(1).entries()) {
      ok(bytesOf([...taken[i]!, message[0]!]) > STRING_BYTES);
    }
    const answers = rig.got();
    equal(answers.length, taken.length);
    // The driver is short of none: it sends back as many as it got too many.
    for (const _ of answers) rig.returnString();
    deepEqual(rig.takeAndAnswer(), []);
    rig.returnString();
    deepEqual(rig.takeAndAnswer().map(({ count }) => count), [0]);
  }),
);

testProperty(
  "what is held is given back to the driver once, every page, and nothing of it is sent",
  { runs: 100, file },
  fc.property(messages, fc.nat(8), fc.integer({ min: 1, max: 3 }), (
    drawn,
    taken,
    layers,
  ) => {
    const says = Array.from(
      { length: layers },
      () => new Says((now) => now + 1000),
    );
    const rig = new LayerRig(...says);
    for (const message of drawn.slice(0, taken)) rig.deliver(message);
    deepEqual(rig.takeAndAnswer(), []);
    passTime(rig.time, 1000);
    // The inner layer's are now held by the next, and more wait to be taken.
    if (layers > 1) rig.holder.take();
    for (const message of drawn.slice(taken)) rig.deliver(message);
    rig.holder.giveBack();
    deepEqual(returnedBy(rig.got()), pagesOf(drawn.flat()));
    deepEqual(rig.takeAndAnswer(), []);
    ok(says.every(({ rests }) => rests > 0));
  }),
);

Deno.test("of what waits to be taken 64 messages are given back at once, and none of the others is lost", () => {
  const rig = new LayerRig(new Says(() => "pass"));
  const all = Array.from({ length: 67 }, (_, number) => [{ ...ONE, number }]);
  for (const message of all) rig.deliver(message);
  rig.holder.giveBack();
  deepEqual(returnedBy(rig.got()), pagesOf(all.slice(0, 64).flat()));
  deepEqual(rig.takeAndAnswer().flatMap(packetsIn), all.slice(64).flat());
});

Deno.test("of messages that are dropped 64 are taken in one turn, and the holder is told of the others", async () => {
  const says = new Says(() => "drop");
  const rig = new LayerRig(says);
  let ready = 0;
  rig.holder.onReady = () => ready++;
  const all = Array.from({ length: 66 }, (_, number) => [{ ...ONE, number }]);
  for (const message of all) rig.deliver(message);
  await Promise.resolve();
  equal(ready, 1);
  equal(rig.holder.take(), undefined);
  deepEqual(returnedBy(rig.got()), pagesOf(all.slice(0, 64).flat()));
  equal(says.rests, 0);
  await Promise.resolve();
  equal(ready, 2);
  equal(rig.holder.take(), undefined);
  deepEqual(returnedBy(rig.got()), pagesOf(all.slice(64).flat()));
  equal(says.rests, 1);
  await Promise.resolve();
  equal(ready, 2);
});

Deno.test("a holder is told when what it was to wait for is due, and when its answer makes room", async () => {
  const rig = new LayerRig(new Says((now) => now + 1000));
  let ready = 0;
  rig.holder.onReady = () => ready++;
  const told = async () => {
    await Promise.resolve();
    const times = ready;
    ready = 0;
    return times;
  };
  for (let number = 0; number < 9; number++) {
    rig.deliver([{ ...ONE, number }]);
    equal(rig.holder.take(), undefined);
  }
  await told();
  passTime(rig.time, 999);
  equal(await told(), 0);
  passTime(rig.time, 1);
  equal(await told(), 1);
  // All of it is one message.
  const first = rig.holder.take();
  equal(packetsIn(first!).length, 9);
  equal(rig.holder.take(), undefined);
  equal(rig.time.nextAt, Infinity);
  // Seven more, and one that has to wait until another is answered.
  for (let number = 0; number < 8; number++) {
    rig.deliver([{ ...ONE, number }]);
    equal(rig.holder.take(), undefined);
    passTime(rig.time, 1000);
    equal(rig.holder.take() === undefined, number === 7);
  }
  await told();
  postRecords(rig.holder, first!);
  equal(await told(), 1);
  equal(packetsIn(rig.holder.take()!)[0]!.number, 7);
});

Deno.test("what passes at once counts among a holder's eight deliveries, and what it sends of its own does not", () => {
  const says = new Says(() => "pass");
  const rig = new LayerRig(says);
  for (let i = 0; i < 3; i++) {
    postRecords(rig.holder, messageOf([{ ...ONE, inPage: false }]));
  }
  const taken = Array.from({ length: 8 }, (_, number) => {
    rig.deliver([{ ...ONE, number }]);
    return rig.holder.take()!;
  });
  says.verdict = (now) => now + 1000;
  rig.deliver([{ ...ONE, number: 8 }]);
  equal(rig.holder.take(), undefined);
  passTime(rig.time, 1000);
  equal(rig.holder.take(), undefined);
  postRecords(rig.holder, taken[0]!);
  equal(packetsIn(rig.holder.take()!)[0]!.number, 8);
});

Deno.test("what is due at this very moment passes in the driver's own message", () => {
  const rig = new LayerRig(new Says((now) => now));
  passTime(rig.time, 1000);
  rig.deliver([ONE]);
  const delivery = rig.holder.take()!;
  deepEqual(packetsIn(delivery), [ONE]);
  deepEqual(rig.got(), []);
});

Deno.test("after it has given back, a layer holds nothing more", () => {
  const rig = new LayerRig(new Says((now) => now + 1000));
  rig.holder.giveBack();
  rig.deliver([ONE]);
  deepEqual(rig.takeAndAnswer().flatMap(packetsIn), [ONE]);
});

Deno.test("of what is sent under no capability no interposer is asked", () => {
  let asked = 0;
  const rig = new LayerRig(
    new Says(() => {
      asked++;
      return "pass";
    }),
  );
  const packet = { ...ONE, inPage: false };
  postRecords(rig.holder, { ...messageOf([packet]), capabilities: [] });
  equal(asked, 0);
  equal(rig.got().length, 1);
  postRecords(rig.holder, messageOf([packet]));
  equal(asked, 1);
});

Deno.test("sixteen strings of a layer's own are out at the most", () => {
  const rig = new LayerRig(new Says((now) => now + 1000));
  for (let number = 0; number < 18; number++) {
    rig.deliver([{ ...ONE, number }]);
    rig.takeAndAnswer();
    passTime(rig.time, 1000);
    // The driver keeps whatever it gets.
    equal(rig.takeAndAnswer().length, number < 16 ? 1 : 0);
  }
  rig.returnString();
  const taken = rig.takeAndAnswer();
  deepEqual(taken.flatMap(packetsIn).map(({ number }) => number), [16, 17]);
});

Deno.test("who is in a hurry lets all that is held go on at once, in its order, and holds nothing more", async () => {
  const rig = new LayerRig(
    new Says((now) => now + 5000),
    new Says((now) => now + 1000),
  );
  const [a, b, c, d] = [1, 2, 3, 4].map((number) => ({ ...ONE, number }));
  rig.deliver([a!]);
  rig.takeAndAnswer();
  passTime(rig.time, 5000);
  rig.takeAndAnswer();
  rig.deliver([b!]);
  rig.takeAndAnswer();
  const away = messageOf([{ ...ONE, inPage: false }]);
  postRecords(rig.holder, away);
  rig.got();
  let ready = 0;
  rig.holder.onReady = () => ready++;
  rig.holder.hurry();
  await Promise.resolve();
  ok(ready > 0);
  deepEqual(rig.got().flatMap(lengthsIn).filter((length) => length > 0), [60]);
  rig.deliver([c!]);
  const taken = rig.takeAndAnswer().flatMap(packetsIn);
  deepEqual(taken, [a, b, c]);
  rig.deliver([d!]);
  deepEqual(rig.takeAndAnswer().flatMap(packetsIn), [d]);
  equal(rig.time.nextAt, Infinity);
});

Deno.test("what is dropped is dropped in a hurry, too", () => {
  const rig = new LayerRig(new Says(() => Infinity));
  rig.holder.hurry();
  rig.deliver([ONE]);
  deepEqual(rig.takeAndAnswer(), []);
  deepEqual(returnedBy(rig.got()), pagesOf([ONE]));
  postRecords(rig.holder, messageOf([{ ...ONE, inPage: false }]));
  deepEqual(rig.got().flatMap(lengthsIn), [0]);
});

Deno.test("a layer is closed when the port behind it is, and closes it, giving back what is held", () => {
  const rig = new LayerRig(new Says((now) => now + 1000));
  rig.deliver([ONE]);
  rig.takeAndAnswer();
  rig.got();
  equal(rig.holder.closed, false);
  rig.holder[Symbol.dispose]();
  deepEqual([rig.holder.closed, rig.driver.closed], [true, true]);
  deepEqual(returnedBy(rig.got()), pagesOf([ONE]));
  equal(rig.time.nextAt, Infinity);
  // What is sent late has nowhere to go.
  equal(postRecords(rig.holder, messageOf([ONE])), false);
});

Deno.test("what was held on its way out to a port that was closed meanwhile is counted", () => {
  const says = new Says((now) => now + 1000);
  const rig = new LayerRig(says);
  for (const _ of [1, 2]) {
    postRecords(rig.holder, messageOf([{ ...ONE, inPage: false }]));
  }
  rig.driver[Symbol.dispose]();
  passTime(rig.time, 1000);
  deepEqual(says.tally.snapshot(), { "port-closed": 2 });
});
