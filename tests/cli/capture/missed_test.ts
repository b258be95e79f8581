/** What a capture says of packets that it did not get. */

import { equal } from "node:assert/strict";
import { describeMissed, missedOf } from "../../../cli/capture/missed.ts";

const said = (
  receivedPackets: number,
  counters: Record<string, number> = {},
) =>
  describeMissed(
    missedOf({ nic: { receivedPackets, counters }, unclaimedPackets: 2 }, 7),
  );

Deno.test("packets that came in and were not seen are counted as missed, but for those of nobody", () => {
  equal(said(9), undefined);
  equal(said(10), "1 packet came and was not taken");
  equal(said(12), "3 packets came and were not taken");
});

Deno.test("packets that a NIC had no room for are counted as missed, by the NIC's own names", () => {
  equal(
    said(10, { "rx-ring-full": 5, "rx-packets": 10, "interface-down": 1 }),
    "6 packets came and were not taken (at the NIC: rx-ring-full 5)",
  );
  equal(
    said(9, { "rx-too-long": 1, "no-socket": 2, "rx-dropped": 0 }),
    "3 packets came and were not taken (at the NIC: rx-too-long 1, no-socket 2)",
  );
  equal(said(9, { "rx-ring-full": 0 }), undefined);
});
