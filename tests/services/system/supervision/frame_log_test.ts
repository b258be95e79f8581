/** Times of a log of frames. */

import { deepEqual } from "node:assert/strict";
import { WallClock } from "../../../../drivers/capture/wall_clock.ts";
import type { Frame } from "../../../../services/core/core.ts";
import { FrameLog } from "../../../../services/system/supervision/frame_log.ts";
import { readCapture } from "../../../drivers/capture/captures.ts";

const FRAME: Frame = {
  bytes: new Uint8Array(60),
  start: 0,
  length: 60,
  capacity: 60,
  offload: 0,
};

Deno.test("a log's times follow the clock when that is set, and tell when a frame passed", () => {
  const path = Deno.makeTempFileSync({ suffix: ".pcapng" });
  try {
    let monotonicMs = 500;
    let setMs = 0;
    {
      using log = new FrameLog(
        path,
        new WallClock({
          monotonic: () => monotonicMs,
          adjusted: () => 1_700_000_000_000 + monotonicMs + setMs,
        }),
      );
      const pass = () => log.write(FRAME, "in", (monotonicMs - 1) * 1000);
      pass();
      monotonicMs += 1000;
      pass();
      setMs = 3_600_000;
      pass();
      setMs = -60_000;
      pass();
    }
    const { packets } = readCapture(Deno.readFileSync(path));
    deepEqual(
      packets.map(({ seconds, nanoseconds }) => [
        seconds - 1_700_000_000,
        nanoseconds,
      ]),
      [
        [0, 499_000_000],
        [1, 499_000_000],
        [3601, 499_000_000],
        [-59, 499_000_000],
      ],
    );
  } finally {
    Deno.removeSync(path);
  }
});
