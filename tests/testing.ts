/**
 * What it takes to test a service of one's own with properties: a world on
 * virtual time in which it runs as it would in earnest, faults for that world,
 * and fast-check arbitraries for what comes over a wire.
 *
 * ```ts
 * import fc from "fast-check";
 * import { arpService, udpEchoService } from "@sallyport/sallyport";
 * import { faultSchedule, simulate } from "@sallyport/sallyport/testing";
 *
 * await fc.assert(fc.asyncProperty(
 *   faultSchedule({ stations: ["peer", "host"], parties: ["echo", "driver"] }),
 *   async (faults) => {
 *     const services = { arp: arpService, echo: udpEchoService };
 *     using world = simulate({ services, faults, peer: {} });
 *     await world.run({ forMs: 500 });
 *     world.check();
 *   },
 * ));
 * ```
 *
 * A world (`simulate`) runs in this very thread: the driver service, the filter
 * service and the runner of services are the real ones, the NIC is the emulated
 * one; only time and the wire are simulated. The same options give the same
 * events, to the byte, so what a property has found once it finds again. Faults
 * are a schedule, which shrinks, or rates by which one is drawn from the seed;
 * `world.faults` is the schedule of those that happened, and gives the same
 * events again.
 *
 * @module
 */

// A simulated world.
export {
  simulate,
  type SimulationOptions,
  type World,
} from "./simulation/world.ts";
export type { HostOptions } from "./simulation/host.ts";
export type { SimulatedService } from "./simulation/service.ts";
export type { LinkOptions } from "./simulation/link.ts";
export type { WireFrame } from "./simulation/medium.ts";
export { Neighbour, type NeighbourOptions } from "./simulation/neighbour.ts";
export { formatTrace, type TraceEvent } from "./simulation/trace.ts";

// What all arbitraries are.
export type { Arbitrary } from "./arbitraries/arbitrary.ts";

// What goes wrong in it.
export type {
  Fault,
  FaultPlan,
  FrameFault,
  PartyFault,
} from "./simulation/faults.ts";
export type { WireFaults } from "../caps/driver/wire_faults.ts";
export {
  faultSchedule,
  type FaultScheduleOptions,
} from "./arbitraries/faults.ts";

// Headers: representations, for frames of one's own.
export {
  arpRepr,
  ethernetRepr,
  hostAddress,
  icmpRepr,
  ipv4Address,
  ipv4Options,
  ipv4Repr,
  mac,
  plainIpv4Repr,
  port,
  stationMac,
  udpRepr,
  vlanTag,
  vlanTags,
} from "./arbitraries/reprs.ts";

// Frames: right ones, damaged ones, noise.
export {
  anyFrame,
  arpFrame,
  buildArp,
  buildIcmp,
  buildIpv4,
  buildUdp,
  flipped,
  type FrameBytes,
  icmpFrame,
  ipv4Frame,
  ipv6Frame,
  otherFrame,
  randomFrame,
  truncated,
  udpFrame,
  validFrame,
} from "./arbitraries/frames.ts";

// Grants and filter texts, and frames that are near them.
export { conjunctionArbitrary, grantArbitrary } from "./arbitraries/grants.ts";
export { framesFor } from "./arbitraries/grant_frames.ts";
export { grantTextArbitrary } from "./arbitraries/grant_texts.ts";
export {
  addressArbitrary,
  arithmeticArbitrary,
  expressionArbitrary,
  primitiveArbitrary,
} from "./arbitraries/expressions.ts";
export { brokenExpression } from "./arbitraries/broken_expressions.ts";
export { linkedFrame, vxlanAround } from "./arbitraries/linked_frames.ts";

// Manifests.
export { interfaceAddress, manifestInput } from "./arbitraries/manifests.ts";

// What every driver of a NIC holds to, for one of one's own.
export {
  type ConformanceTest,
  driverConformance,
  type DriverTraits,
  type MakeRig,
} from "./conformance/suite.ts";
export { type DriverRig, type Lost } from "./conformance/driver_rig.ts";

/**
 * The capability system's reference model, what can be done to it (`anyMove`),
 * and a game that compares a system of one's own with it.
 */
export * as model from "./model/exports.ts";
