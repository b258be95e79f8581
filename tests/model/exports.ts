/** What capabilities mean, said plainly, for comparing a system with it move by move. */

export { ReferenceModel } from "./reference.ts";
export { anyMove } from "./moves.ts";
export type { Move, Presented, RecordMove } from "./moves.ts";
export { Game } from "./game.ts";
export type {
  Asked,
  AskedDelegation,
  AskedRecord,
  CapabilitySystem,
  LastMessage,
  Seen,
  SeenAccount,
} from "./system.ts";
export type {
  Cap,
  Counted,
  Delegated,
  Delivered,
  Ending,
  FrameFacts,
  Frames,
  Limits,
  Offload,
  Outgoing,
  Page,
  Right,
  Segment,
  Sending,
  Submitted,
  Wanted,
} from "./terms.ts";
export type { GrantPart, Text, UdpPart } from "./universe.ts";
