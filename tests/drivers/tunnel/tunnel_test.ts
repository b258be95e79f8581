/** What arrives through a tunnel is what was sent into it, once, whatever others send. */

import { delay } from "@std/async/delay";
import type { Counts } from "../../../caps/driver/accounts.ts";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, KIND } from "../../../drivers/tunnel/datagram.ts";
import type { TunnelEnd } from "../../../drivers/tunnel/tunnel.ts";
import { testProperty } from "../../property.ts";
import { collectFrom } from "../emulated/rig.ts";
import { type Pair, secretOf, tunnelPair, until } from "./rig.ts";

/** A frame that says which one it is. */
function frameOf(number: number, sizeBytes = 60): Bytes {
  const frame = new Uint8Array(sizeBytes).fill(number & 255);
  new DataView(frame.buffer).setUint32(14, number);
  return frame;
}

function numbersIn(frames: readonly Uint8Array[]): number[] {
  return frames.map((frame) =>
    new DataView(frame.buffer, frame.byteOffset).getUint32(14)
  );
}

function send(end: TunnelEnd, ...numbers: number[]): void {
  for (const number of numbers) end.send(frameOf(number), 0, 60);
}

/** Waits until `end` has refused so many datagrams more than `before`, none of which it receives. */
async function refused(
  end: TunnelEnd,
  count: number,
  before: Counts,
): Promise<void> {
  await until(() => refusals(end.counters()) - refusals(before) >= count);
}

/** Frames that were refused, but for handshakes that came too often. */
function frameRefusals(end: TunnelEnd): number {
  return refusals({ ...end.counters(), "stale-offers": 0 });
}

function refusals(counters: Counts): number {
  return Object.entries(counters)
    .filter(([name]) => name.startsWith("rx-") || name === "stale-offers")
    .reduce((sum, [, count]) => sum + count, 0);
}

/**
 * Waits until the right end has received or refused each of `count` frames since
 * `before`: only then it is known which of them it received.
 * @returns the numbers of those received.
 */
async function decided(
  { ends: [, end] }: Pair,
  count: number,
  before: number,
): Promise<number[]> {
  const got: number[] = [];
  await until(() => {
    got.push(...numbersIn(collectFrom(end)));
    return got.length + frameRefusals(end) - before >= count;
  }, `${count} frames to be received or refused`);
  return got;
}

/**
 * Has `datagrams` of the left end arrive at the right one again. Handshakes go
 * first, and are seen through: the counts that they add are none of a frame's.
 * @returns the numbers of the frames received.
 */
async function replay(
  pair: Pair,
  datagrams: readonly Bytes[],
): Promise<number[]> {
  const { medium, ends } = pair;
  const isFrame = (bytes: Bytes) => bytes[1] === KIND.frame;
  await until(() => medium.isRead(1), "the line to be quiet");
  medium.inject(1, ...datagrams.filter((bytes) => !isFrame(bytes)));
  await until(() => medium.isRead(1), "the handshakes to be read");
  const before = frameRefusals(ends[1]);
  const frames = datagrams.filter(isFrame);
  medium.inject(1, ...frames);
  return await decided(pair, frames.length, before);
}

/** Frames that {@link works} has sent, in all tests. */
let probes = 1_000_000;

/** Sees that frames sent into `from` still arrive at `to`, and no others do. @returns them. */
async function works(from: TunnelEnd, to: TunnelEnd): Promise<number[]> {
  deepStrictEqual(numbersIn(collectFrom(to)), []);
  const first = probes;
  // What a restart forgot is told with the first frame, which is lost.
  await until(() => {
    send(from, probes++);
    return to.peek() > 0;
  }, "a frame to arrive");
  send(from, probes);
  const got: number[] = [];
  await until(() => {
    got.push(...numbersIn(collectFrom(to)));
    return got.includes(probes);
  }, "the last frame");
  probes++;
  ok(got.every((number) => number >= first), `nobody's: ${got}`);
  return got;
}

/** Each session numbers its frames once: no nonce is used twice. */
function checkNonces({ medium }: Pair): void {
  const frames = medium.log.filter(({ bytes }) => bytes[1] === KIND.frame);
  const names = frames.map(({ bytes }) => bytes.subarray(4, 16).join());
  strictEqual(new Set(names).size, frames.length, "a nonce came twice");
}

testProperty(
  "under any loss, duplication and reordering each frame arrives at most once, and no other does",
  { runs: 40, file: import.meta.url },
  fc.asyncProperty(
    fc.array(
      fc.record({
        copies: fc.constantFrom(0, 1, 1, 1, 2, 3),
        late: fc.constantFrom(0, 0, 0, 1, 5),
      }),
      { minLength: 1, maxLength: 40 },
    ),
    fc.integer({ min: 1, max: 80 }),
    async (fates, count) => {
      using pair = await tunnelPair({ rekeyFrames: 16, retryMs: 1 });
      const { medium, ends } = pair;
      let at = 0;
      let held: { left: number; bytes: Bytes }[] = [];
      medium.pass = (bytes) => {
        const { copies, late } = fates[at++ % fates.length]!;
        const due = held.filter((one) => --one.left < 0);
        held = held.filter((one) => one.left >= 0);
        const now = Array<Bytes>(copies).fill(bytes);
        if (late === 0) return [...now, ...due.map((one) => one.bytes)];
        held.push(...now.map((bytes) => ({ left: late, bytes })));
        return due.map((one) => one.bytes);
      };
      const sent = Array.from({ length: count }, (_, i) => i);
      for (const number of sent) {
        send(ends[0], number);
        if (number % 16 === 15) {
          await delay(3);
        }
      }
      await until(() => medium.sent(0, KIND.frame).length === count);
      medium.pass = () => [];
      await until(() => medium.isRead(1), "the line to be quiet");
      const got = await decided(pair, medium.framesAt(1), 0);
      const again = medium.sent(0);
      got.push(...await replay(pair, [...again, ...again]));
      strictEqual(new Set(got).size, got.length, `twice: ${got}`);
      ok(got.every((number) => sent.includes(number)), `nobody's: ${got}`);
      // What was only lost was not seen before: then it arrives from the log.
      if (fates.every(({ copies }) => copies > 0)) ok(got.length > 0);
      checkNonces(pair);
    },
  ),
);

Deno.test("a datagram with any bit turned, or cut off anywhere, is refused, and the true one is taken after it", async () => {
  using pair = await tunnelPair();
  const { medium, ends } = pair;
  medium.pass = () => [];
  send(ends[0], 1);
  await until(() => medium.sent(0, KIND.frame).length === 1);
  const kept = [
    medium.sent(0, KIND.frame)[0]!,
    medium.sent(0, KIND.request)[0]!,
    medium.sent(0, KIND.offer)[0]!,
  ];
  for (const datagram of kept) {
    for (let at = 0; at < datagram.length; at++) {
      const turned = datagram.slice();
      turned[at]! ^= 1 << at % 8;
      const before = ends[1].counters();
      medium.inject(1, turned, datagram.slice(0, at));
      await refused(ends[1], 2, before);
    }
  }
  strictEqual(ends[1].counters()["rx-replayed"], 0);
  medium.inject(1, kept[0]!);
  await until(() => ends[1].peek() > 0, "the true one");
  deepStrictEqual(collectFrom(ends[1]), [frameOf(1)]);
});

Deno.test("a request and an offer with any bit turned are not authentic", async () => {
  const secret = await secretOf(3);
  const signed = await secret.sign(new Uint8Array(28).fill(5));
  strictEqual(await secret.verify(signed), true);
  for (let bit = 0; bit < 8 * signed.length; bit++) {
    const turned = signed.slice();
    turned[bit >> 3]! ^= 1 << (bit & 7);
    strictEqual(await secret.verify(turned), false);
  }
});

Deno.test("what was recorded is refused when it is sent again, after restarts of either end too", async () => {
  using pair = await tunnelPair();
  const { medium, ends } = pair;
  const received: number[] = [];
  const replayAll = () => replay(pair, medium.sent(0));
  send(ends[0], 1, 2, 3);
  await until(() => {
    received.push(...numbersIn(collectFrom(ends[1])));
    return received.length === 3;
  });
  deepStrictEqual(await replayAll(), []);
  await pair.restart(1); // the receiver: it has forgotten what it saw
  deepStrictEqual(await replayAll(), []);
  for (const side of [0, 1, 0] as const) {
    received.push(...await works(ends[0], ends[1]));
    // What was refused for want of time is new still: it may arrive now, once.
    received.push(...await replayAll(), ...await replayAll());
    strictEqual(new Set(received).size, received.length, `twice: ${received}`);
    await pair.restart(side);
    const again = await replayAll();
    if (side === 1) deepStrictEqual(again, []);
    received.push(...again);
  }
  received.push(...await works(ends[0], ends[1]), ...await replayAll());
  strictEqual(new Set(received).size, received.length, `twice: ${received}`);
  await works(ends[1], ends[0]);
  checkNonces(pair);
});

Deno.test("an end's own datagrams, sent back to it, are nobody's", async () => {
  using pair = await tunnelPair();
  const { medium, ends } = pair;
  medium.pass = (bytes, from) => {
    medium.inject(from, bytes);
    return [bytes];
  };
  await pair.restart(0);
  send(ends[0], 1, 2, 3);
  await until(() => ends[0].counters()["rx-replayed"] === 3);
  strictEqual(ends[0].peek(), 0);
  await until(() => ends[1].peek() > 0);
  collectFrom(ends[1]);
  await works(ends[1], ends[0]);
});

Deno.test("an end knows its own frames also after its next session began", async () => {
  using pair = await tunnelPair({ rekeyFrames: 3 });
  const { medium, ends } = pair;
  send(ends[0], 1, 2, 3);
  await until(() => ends[0].counters()["sessions"]! > 1, "another session");
  const before = ends[0].counters();
  medium.inject(0, ...medium.sent(0, KIND.frame));
  await until(() => medium.isRead(0), "the end to read");
  const { "rx-replayed": replayed, "rx-bad-key": badKey } = ends[0].counters();
  deepStrictEqual(
    [replayed! - before["rx-replayed"]!, badKey! - before["rx-bad-key"]!],
    [3, 0],
  );
});

Deno.test("with another key nothing is received either way, and it is counted", async () => {
  using pair = await tunnelPair();
  const { ends } = pair;
  await pair.restart(1, await secretOf(8));
  for (let i = 0; i < 5; i++) {
    send(ends[0], i);
    send(ends[1], i);
    await delay(30);
  }
  await until(() => ends.every((end) => end.counters()["rx-bad-key"]! > 0));
  strictEqual(ends[0].peek() + ends[1].peek(), 0);
  strictEqual(ends[1].established, false);
  await until(() => ends[1].counters()["tx-dropped"]! > 0);
});

Deno.test("a flood of garbage is counted to the last datagram, and frames come through after it", async () => {
  using pair = await tunnelPair();
  const { medium, ends } = pair;
  send(ends[0], 1);
  await until(() => ends[1].peek() > 0);
  collectFrom(ends[1]);
  const session = medium.sent(0, KIND.frame)[0]!.slice(0, 16);
  const flood = Array.from({ length: 8000 }, (_, i) => {
    const datagram = crypto.getRandomValues(new Uint8Array(20 + i % 1600));
    // One quarter each: noise, forged frames of the session, of others, requests.
    if (i % 4 > 0) datagram.set([1, i % 4 === 3 ? KIND.request : KIND.frame]);
    if (i % 4 > 0) datagram.set([0, 0], 2);
    if (i % 4 === 1) datagram.set(session.subarray(4, 12), 4);
    return i % 4 === 3 ? datagram.slice(0, 44) : datagram;
  });
  const before = ends[1].counters();
  const log = medium.log.length;
  medium.inject(1, ...flood);
  await refused(ends[1], flood.length, before);
  const counters = ends[1].counters();
  strictEqual(refusals(counters) - refusals(before), flood.length);
  // Work and answers were rationed, whatever came.
  ok(counters["rx-unproven"]! > 2000, JSON.stringify(counters));
  ok(medium.log.length - log < 50, `${medium.log.length - log} answers`);
  await works(ends[0], ends[1]);
});

Deno.test("a session is replaced before its numbers run out, and no frame is lost by that", async () => {
  using pair = await tunnelPair({ rekeyFrames: 8, retryMs: 1 });
  const { ends } = pair;
  const sent = Array.from({ length: 100 }, (_, i) => i);
  const got: number[] = [];
  for (const number of sent) {
    send(ends[0], number);
    await until(() => ends[1].peek() > 0, `frame ${number}`);
    got.push(...numbersIn(collectFrom(ends[1])));
  }
  deepStrictEqual(got, sent);
  ok(ends[0].counters()["sessions"]! > 2);
  checkNonces(pair);
});

Deno.test("frames of all sizes up to 1,522 bytes cross, what is larger or nothing is counted", async () => {
  using pair = await tunnelPair();
  const { ends } = pair;
  const sizes = [14, 15, 60, 1514, 1522];
  for (const size of sizes) {
    strictEqual(ends[0].send(new Uint8Array(size), 0, size), true);
  }
  strictEqual(ends[0].send(new Uint8Array(1523), 0, 1523), false);
  strictEqual(ends[0].send(new Uint8Array(0), 0, 0), false);
  strictEqual(ends[0].counters()["tx-oversize"], 1);
  const got: number[] = [];
  await until(() => {
    got.push(...collectFrom(ends[1]).map(({ length }) => length));
    return got.length === sizes.length;
  });
  deepStrictEqual(got, sizes);
});

Deno.test("a peer that does not read costs what it misses: the queue is bounded", async () => {
  using pair = await tunnelPair();
  const { ends } = pair;
  for (let i = 0; i < 700; i++) {
    send(ends[0], i);
    if (i % 64 === 63) await delay(5);
  }
  await until(() => ends[1].counters()["rx-dropped"]! > 0);
  const first = numbersIn(collectFrom(ends[1]));
  deepStrictEqual(first, Array.from({ length: 512 }, (_, i) => i));
});
