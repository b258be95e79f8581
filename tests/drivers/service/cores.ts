/** Cores on the holders of a rig, however their packets come. */

import assert from "node:assert/strict";
import type { Port } from "../../../caps/port/port.ts";
import type { Delivery, Submission } from "../../../caps/port/records.ts";
import type { Core } from "../../../services/core/core.ts";
import { CoreRunner } from "../../../services/core/runner.ts";
import { makeRealClock } from "../../../services/runtime/clock.ts";
import { DirectRunner } from "../../../services/core/direct_runner.ts";
import { witness } from "../../arbitraries/witness.ts";
import { echo } from "./plans.ts";
import type { Rig, TestHolder } from "./rig.ts";

/** Runs `core` on a holder, by whatever its packets come; it may not fail. */
export function runOn(holder: TestHolder, core: Core): Disposable {
  const { port, capability, shared, end } = holder;
  const options = {
    capability,
    clock: makeRealClock(),
    onFailure: (error: unknown) => assert.fail(String(error)),
  };
  return end === undefined
    ? new CoreRunner(core, {
      ...options,
      port: port as Port<Submission | null, Delivery>,
      trusted: shared,
    })
    : new DirectRunner(core, { ...options, end });
}

/** A frame that the holders' first one may send. */
export const WITNESS = witness(echo.sends[0]!);

/** Puts a core on the first holder of `rig`. */
export function run(rig: Rig, core: Core) {
  const failures: string[] = [];
  const { end, capability } = rig.holders[0]!;
  const runner = new DirectRunner(core, {
    end: end!,
    capability,
    clock: { now: () => rig.nowMs * 1000, wake() {} },
    onFailure: (error) => failures.push(String(error)),
  });
  return { runner, failures };
}
