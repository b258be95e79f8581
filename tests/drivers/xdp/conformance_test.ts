/** The suite that every driver passes, on a real veth. */

import { testDriver } from "../../conformance/driver.ts";
import type { Need } from "../../needs.ts";
import { makeNamespacePair, type NamespacePair } from "../../netns.ts";
import { xdpRig } from "./rig.ts";

const NEEDS: readonly Need[] = ["linux", "root", "tool:ip", "tool:ethtool"];

let pair: NamespacePair | undefined;

testDriver(
  "xdp",
  async () => xdpRig(pair ??= await makeNamespacePair()),
  { file: import.meta.url, needs: NEEDS, runs: 15 },
);

Deno.test.afterAll(() => pair?.[Symbol.asyncDispose]());
