import { deepEqual, equal } from "node:assert/strict";
import {
  ARRIVAL_TIME_BYTES,
  ArrivalTimes,
} from "../../../caps/memory/arrival_time.ts";

Deno.test("a packet's arrival time lies in front of it, beside XDP's tag, and changes nothing else", () => {
  const bytes = new Uint8Array(512).fill(0xee);
  const times = new ArrivalTimes(bytes.buffer);
  const at = 256;
  times.put(at, 0xffff_fffe, 999_999_999);
  times.put(at + 64, 1, 2);
  equal(times.secondsOf(at), 0xffff_fffe);
  equal(times.nanosecondsOf(at), 999_999_999);
  equal(times.secondsOf(at + 64), 1);
  equal(times.nanosecondsOf(at + 64), 2);
  const changed = [...bytes.keys()].filter((i) => bytes[i] !== 0xee);
  const eight = (from: number) => Array.from({ length: 8 }, (_, i) => from + i);
  deepEqual(changed, [
    ...eight(at - ARRIVAL_TIME_BYTES),
    ...eight(at + 64 - ARRIVAL_TIME_BYTES),
  ]);
});
