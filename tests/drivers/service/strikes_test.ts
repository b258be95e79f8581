/** When a holder is cut off for what was refused of it. */

import assert from "node:assert/strict";
import { STRIKES_MAX } from "../../../drivers/service/holder.ts";
import { echo } from "./plans.ts";
import { Rig } from "./rig.ts";

Deno.test(`a holder is cut off at the strike ${STRIKES_MAX}, and not before`, () => {
  using rig = new Rig([echo]);
  const [holder] = rig.holders;
  for (let strike = 1; strike <= STRIKES_MAX; strike++) {
    assert.deepEqual(rig.cutOff, []);
    holder!.port.post("nonsense");
    if (strike % 16 === 0 || strike > STRIKES_MAX - 16) rig.turn();
  }
  assert.deepEqual(rig.cutOff, [1]);
});
