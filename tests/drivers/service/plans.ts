/** Three holders, and frames that some of them want. */

import fc from "fast-check";
import { ethernet, ipv4 } from "../../../services/filter/grant/builder.ts";
import { anyFrame } from "../../arbitraries/frames.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { EXTENT_PAGES } from "../../../caps/memory/memory.ts";
import { type HolderPlan, SUPER_BYTES_MAX } from "./rig.ts";

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

/** Plans of holders with quotas in extents. */
export const extentPlans: readonly HolderPlan[] = plans.map((plan) => ({
  ...plan,
  quotaPages: plan.quotaPages * EXTENT_PAGES,
}));

/**
 * Frames as they come from a kernel: those of a wire, and super-packets, of
 * lengths around a page's and an extent's end.
 */
export const superFrames: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.oneof(
  frames,
  fc.tuple(
    frames,
    fc.oneof(
      fc.integer({ min: 1500, max: 9000 }),
      fc.integer({ min: SUPER_BYTES_MAX - 9, max: SUPER_BYTES_MAX }),
    ),
  ).map(([frame, length]) => {
    const longer = new Uint8Array(length).fill(0xa5);
    longer.set(frame);
    const text = () => `${frame.toHex()} and a5… up to ${length} bytes`;
    return Object.assign(longer, { [fc.toStringMethod]: text });
  }),
);
