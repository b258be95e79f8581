/** The variables of this process, as the kernel has them. */

import { deepEqual } from "node:assert/strict";
import { ownEnvironment } from "../../../drivers/sys/own_environment.ts";
import { testWith } from "../../needs.ts";

testWith(
  ["linux"],
  "the variables that a process was started with are those that it sees",
  () => {
    const seen = Object.entries(Deno.env.toObject())
      .map(([name, value]) => `${name}=${value}`);
    deepEqual(ownEnvironment().sort(), seen.sort());
  },
);
