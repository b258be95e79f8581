/** The suite that every driver passes, on a real TAP. */

import { testDriver } from "../../conformance/driver.ts";
import {
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { tapRig } from "./rig.ts";

let pair: NamespacePair | undefined;

for (const queues of [1, 2]) {
  testDriver(
    queues === 1 ? "tap" : `tap with ${queues} queues`,
    async () => tapRig((pair ??= await makeNamespacePair()).right.name, queues),
    { file: import.meta.url, needs: NETNS_NEEDS, runs: queues === 1 ? 15 : 5 },
  );
}

Deno.test.afterAll(() => pair?.[Symbol.asyncDispose]());
