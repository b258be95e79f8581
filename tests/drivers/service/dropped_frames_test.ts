/** A packet that is dropped leaves its frame to the next one, whyever it was dropped. */

import { deepEqual, equal } from "node:assert/strict";
import { witness } from "../../arbitraries/witness.ts";
import { echo, pings } from "./plans.ts";
import { packetsOf, Rig } from "./rig.ts";

/** Frames of packet memory: a leak of one a packet would use them up. */
const FRAMES = 64;
const PACKETS = 4 * FRAMES;

/** What has its packets dropped, and the reason that is counted. */
const DROPPED = {
  "no-page": { quotaPages: 1, copyBytesMax: 0 },
  "no-page, for a trusted holder": {
    quotaPages: 1,
    copyBytesMax: 0,
    trusted: true,
  },
  "rate-limit": {
    quotaPages: 4,
    copyBytesMax: 0,
    limit: { packetsPerSecond: 1 },
  },
} as const;

for (const [what, change] of Object.entries(DROPPED)) {
  Deno.test(`frames of packets that are dropped come round again: ${what}`, () => {
    using rig = new Rig([{ ...echo, ...change }, pings], FRAMES);
    const [reason] = what.split(",");
    const frame = witness(echo.receives[0]!)!;
    for (let i = 0; i < PACKETS; i++) {
      rig.far.send(frame, 0, frame.length);
      if (i % 16 === 15) rig.turn();
    }
    const [account] = rig.service.counts().accounts;
    equal(account!.drops[reason!]! + account!.deliveredPackets, PACKETS);
    // Another holder's packets find frames all the same.
    const ping = witness(pings.receives[0]!)!;
    for (let i = 0; i < FRAMES; i++) {
      rig.far.send(ping, 0, ping.length);
      rig.turn();
      const delivery = rig.holders[1]!.port.take()!;
      deepEqual(packetsOf(delivery).map(({ bytes }) => bytes), [ping]);
      const { capabilities, records } = delivery;
      rig.holders[1]!.port.post(
        { capabilities, records, count: 0, pages: [] },
        [records],
      );
      rig.turn();
    }
  });
}
