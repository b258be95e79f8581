/** A link of a simulated world beside one that keeps every frame it ever took. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { testProperty } from "../property.ts";
import { Link, type LinkOptions } from "./link.ts";
import { simulate } from "./world.ts";

const file = import.meta.url;

/** What a link is by its definition: nothing is forgotten, all is added up anew. */
class Reference {
  readonly #frames: { startUs: number; endUs: number; bytes: number }[] = [];
  constructor(readonly options: Required<LinkOptions>) {}

  take(bytes: number, now: number): number | undefined {
    const { bitsPerSecond, queueBytes, delayUs } = this.options;
    const startUs = Math.max(now, ...this.#frames.map(({ endUs }) => endUs));
    const waiting = this.#frames.filter((frame) => frame.startUs > now)
      .reduce((sum, frame) => sum + frame.bytes, 0);
    if (startUs > now && waiting + bytes > queueBytes) return undefined;
    const endUs = startUs + 8e6 * bytes / bitsPerSecond;
    this.#frames.push({ startUs, endUs, bytes });
    return endUs + delayUs;
  }
}

testProperty(
  "a link sends one frame after the other at its rate, and drops exactly what its queue has no room for",
  { runs: 300, file },
  fc.property(
    fc.record({
      bitsPerSecond: fc.constantFrom(1e4, 1e6, 1e8, 1e10),
      queueBytes: fc.constantFrom(0, 1, 1499, 1500, 1501, 10_000, Infinity),
      delayUs: fc.constantFrom(1, 50, 20_000),
    }),
    fc.array(
      fc.record({
        afterUs: fc.oneof(fc.constant(0), fc.nat(2000)),
        bytes: fc.oneof(
          fc.constant(1500),
          fc.integer({ min: 14, max: 65_549 }),
        ),
      }),
      { maxLength: 60 },
    ),
    (options, sends) => {
      const link = new Link(options);
      const reference = new Reference(options);
      let now = 0;
      let dropped = 0;
      let last = 0;
      for (const { afterUs, bytes } of sends) {
        now += afterUs;
        const arrivesAt = link.take(bytes, now);
        const expected = reference.take(bytes, now);
        if (expected === undefined) dropped++;
        equal(arrivesAt === undefined, expected === undefined);
        if (arrivesAt === undefined) continue;
        ok(Number.isInteger(arrivesAt) && arrivesAt >= last);
        ok(Math.abs(arrivesAt - expected!) <= 1, `${arrivesAt} ${expected}`);
        last = arrivesAt;
      }
      equal(link.dropped, dropped);
    },
  ),
);

Deno.test("a link without a rate brings everything one delay later", () => {
  const link = new Link({ delayUs: 70 });
  deepEqual([1, 1500, 65_549].map((bytes) => link.take(bytes, 9)), [
    79,
    79,
    79,
  ]);
  equal(link.dropped, 0);
});

Deno.test("a full link holds its rate times its delay, and no more arrives in a second than its rate", async () => {
  const bitsPerSecond = 12_000_000;
  const delayUs = 20_000;
  // One frame of 1,500 bytes a millisecond: 20 of them are on the way.
  const frame = new Uint8Array(1500).fill(0xff, 0, 6);
  using world = simulate({
    services: { echo: udpEchoService },
    links: { test: { bitsPerSecond, delayUs, queueBytes: 15_000 } },
  });
  for (let i = 0; i < 200; i++) world.send(frame, i / 2);
  await world.run({ forMs: 100 });
  const sent = world.sent("test").length;
  const heard = world.heard("host").length;
  equal(sent, 200);
  equal(heard, 80);
  await world.run({ forMs: 1000 });
  const all = world.heard("host");
  equal(all.length + world.dropped("test"), 200);
  // When the last one comes, at 99.5 ms, 99 were sent, one is, and ten wait.
  equal(all.length, 99 + 1 + 10);
  for (let i = 1; i < all.length; i++) {
    equal(all[i]!.atUs - all[i - 1]!.atUs, 1000);
  }
  ok(
    world.trace.some(({ what }) => what.startsWith("has no room in its queue")),
  );
  world.check();
});
