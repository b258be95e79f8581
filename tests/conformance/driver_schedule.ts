/** Random schedules of a driver's calls. */

import fc from "fast-check";
import { type Caller, type DriverRig, testFrame } from "./driver_rig.ts";

/** One call: with a count of what it is about, or the lengths of what is sent. */
export type Step =
  | { readonly call: Counted; readonly count: number }
  | { readonly call: "transmit"; readonly lengths: readonly number[] };

type Counted =
  | "inject"
  | "provide"
  | "receive"
  | "release"
  | "forward"
  | "reclaim"
  | "wait"
  | "collect";

/** Any step; frames to be sent have a length that `length` gives. */
export function anyStep(length: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  const call = fc.constantFrom<Counted>(
    "inject",
    "provide",
    "receive",
    "release",
    "forward",
    "reclaim",
    "wait",
    "collect",
  );
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ call, count: fc.nat({ max: 12 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        call: fc.constant<"transmit">("transmit"),
        lengths: fc.array(length, { maxLength: 12 }),
      }),
    },
  );
}

/** What a step works on; `left` has what the far side has yet to send. */
export interface Stage {
  readonly rig: DriverRig;
  readonly caller: Caller;
  readonly left: Uint8Array[];
}

/** Does what `step` says. */
export async function runStep(
  step: Step,
  { rig, caller, left }: Stage,
): Promise<void> {
  if (step.call === "transmit") {
    const first = 1000 + caller.sent.length;
    caller.transmit(
      step.lengths.map((bytes, i) => testFrame(first + i, bytes)),
    );
  } else if (step.call === "inject") {
    await rig.inject(left.splice(0, step.count));
  } else if (step.call === "wait") await rig.driver.wait(step.count & 1);
  else if (step.call === "collect") await caller.collect();
  else caller[step.call](step.count);
}
