/** A core in the driver's thread, on the first holder of a rig. */

import type { Core } from "../../../services/core/core.ts";
import { DirectRunner } from "../../../services/core/direct_runner.ts";
import { witness } from "../../arbitraries/witness.ts";
import { echo } from "./plans.ts";
import type { Rig } from "./rig.ts";

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
