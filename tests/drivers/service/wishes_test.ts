/** What a core wishes of a frame that it sends is done, whichever way its packets come. */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { CHECKSUM_PARTIAL } from "../../../caps/port/offload.ts";
import type { Core } from "../../../services/core/core.ts";
import { NEVER } from "../../../services/runtime/clock.ts";
import { buildUdp } from "../../arbitraries/frames.ts";
import {
  ethernetToUs,
  NEIGHBOUR,
  OWN,
  plainHeader,
} from "../../services/core/core_harness.ts";
import { runOn } from "./cores.ts";
import { echo } from "./plans.ts";
import { Rig } from "./rig.ts";

Deno.test("a checksum that a core wishes to have completed is, however its packets come, and no other", async () => {
  const whole = buildUdp(
    { ...ethernetToUs(0x0800), destination: NEIGHBOUR.mac },
    plainHeader(17, OWN.address, NEIGHBOUR.address),
    {
      sourcePort: 7,
      destinationPort: 7,
      checksummed: true,
      payload: Uint8Array.from({ length: 30 }, (_, i) => i),
    },
  );
  const wrong = whole.slice();
  wrong.fill(0xee, 40, 42);
  for (
    const way of [
      { copyBytesMax: 4096 },
      { copyBytesMax: 0 },
      { copyBytesMax: 0, trusted: true },
      { called: true },
    ]
  ) {
    for (
      const [offload, expected] of [[0, wrong], [
        CHECKSUM_PARTIAL,
        whole,
      ]] as const
    ) {
      using rig = new Rig([{ ...echo, ...way }]);
      const core: Core = {
        wakeAt: NEVER,
        wake: () => {},
        receive: (frame) => {
          frame.offload = offload;
          return "reply";
        },
        counters: () => ({}),
      };
      const [holder] = rig.holders;
      using _runner = runOn(holder!, core);
      rig.far.send(wrong, 0, wrong.length);
      for (let turns = 0; turns < 3 || !rig.service.quiet; turns++) {
        rig.turn();
        await setImmediate();
      }
      assert.deepEqual(rig.sent(), [expected]);
    }
  }
});
