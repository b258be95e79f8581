/** The names of the files that a capture is spread over. */

import { deepEqual, equal } from "node:assert/strict";
import { FileNames } from "../../../cli/capture/rotation.ts";

/** The next `count` names of files that are full. */
function namesOf(count: number, filesMax: number): string[] {
  const rotation = { bytesMax: 1e6, secondsMax: Infinity, filesMax };
  const names = new FileNames("trace", rotation);
  return Array.from({ length: count }, () => {
    const name = names.nameAt(0);
    names.nextForSize();
    return name;
  });
}

Deno.test("full files are numbered, from 0 again where only so many are kept", () => {
  deepEqual(namesOf(3, Infinity), ["trace", "trace1", "trace2"]);
  deepEqual(namesOf(4, 3), ["trace0", "trace1", "trace2", "trace0"]);
  deepEqual(namesOf(2, 1), ["trace", "trace"]);
  equal(namesOf(12, 11).at(-2), "trace10");
  equal(namesOf(12, 11).at(-1), "trace00");
});

Deno.test("files of a time are as many as may be, and no more", () => {
  const rotation = { bytesMax: Infinity, secondsMax: 1, filesMax: 2 };
  const names = new FileNames("trace-%s", rotation);
  equal(names.nameAt(7), "trace-7");
  equal(names.nextForTime(), true);
  equal(names.nextForTime(), false);
});
