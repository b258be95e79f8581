/** Registers the suite that every driver passes. */

import { type Need, testWith } from "../needs.ts";
import { testProperty } from "../property.ts";
import {
  ANY_SCHEDULE,
  anySchedule,
  type DriverTraits,
  fixedTests,
  type MakeRig,
} from "./suite.ts";

export {
  type DriverRig,
  type Lost,
  TEST_FRAME_BYTES_MIN,
} from "./driver_rig.ts";
export { type MakeRig } from "./suite.ts";

/** How a driver is tested here. */
export interface TestedDriver extends DriverTraits {
  /** The file that calls `testDriver`: `import.meta.url`. */
  readonly file: string;
  /** What the rig needs of the machine. */
  readonly needs?: readonly Need[];
  /** Random schedules tried, a rig each; 60 by default. */
  readonly runs?: number;
}

/** Registers the suite's tests for one driver. */
export function testDriver(
  name: string,
  makeRig: MakeRig,
  traits: TestedDriver,
): void {
  const { needs = [], file, runs = 60 } = traits;
  for (const { name: sentence, run } of fixedTests(makeRig, traits)) {
    testWith(needs, `${name}: ${sentence}`, run);
  }
  const sentence = `${name}: ${ANY_SCHEDULE}`;
  testProperty(sentence, { runs, file, needs }, anySchedule(makeRig, traits));
}
