/** Three holders, and frames that some of them want. */

import fc from "fast-check";
import { ethernet, ipv4 } from "../../../services/filter/grant/builder.ts";
import { anyFrame } from "../../arbitraries/frames.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import type { HolderPlan } from "./rig.ts";

export const echo: HolderPlan = {
  receives: ipv4().udp().dstPort(7).grant,
  sends: ipv4().udp().srcPort(7).grant,
  quotaPages: 4,
  copyBytesMax: 128,
};
export const discard: HolderPlan = {
  receives: ipv4().udp().dstPort(9).grant,
  sends: ethernet().etherType(0x1234).grant,
  quotaPages: 3,
  copyBytesMax: 0,
};
export const pings: HolderPlan = {
  receives: ipv4().icmp().type(8).grant,
  sends: ipv4().icmp().type(0).grant,
  quotaPages: 5,
  copyBytesMax: 4096,
};
export const plans: readonly HolderPlan[] = [echo, discard, pings];

/** Frames as they come from a wire. */
export const frames: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.oneof(
  { weight: 4, arbitrary: framesFor(plans.map(({ receives }) => receives)) },
  { weight: 1, arbitrary: anyFrame() },
  {
    weight: 1,
    arbitrary: fc.uint8Array({
      minLength: 14,
      maxLength: 1514,
    }) as fc.Arbitrary<
      Uint8Array<ArrayBuffer>
    >,
  },
).filter((frame) => frame.length > 0 && frame.length <= 1514);
