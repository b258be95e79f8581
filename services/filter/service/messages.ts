/** What holders and the system say to a NIC's filter service, and what it answers. */

import type {
  CapabilityAccount,
  Counts,
} from "../../../caps/driver/accounts.ts";
import type { PortId, Refusal } from "../../../caps/kernel/kernel.ts";
import type { RateLimit } from "../../../caps/kernel/rate_limit.ts";
import type { Rights } from "../../../caps/kernel/rights.ts";
import type { Grant } from "../grant/grant.ts";
import type { CompileTarget } from "./compilation.ts";

/** The first message to a filter service. */
export interface FilterStart {
  readonly target: CompileTarget;
  /** Pages that may be lent in all. */
  readonly quotaPages: number;
  /** The system's own port, whose table gets the root capability. */
  readonly system: PortId;
  /** To the driver service. */
  readonly driver: MessagePort;
  /** To the system. */
  readonly control: MessagePort;
}

/** What a holder asks. `id` is its own and comes back in the answer. */
export type FilterRequest =
  /** A narrower capability than `from`. */
  | {
    readonly id: number;
    readonly op: "derive";
    readonly from: bigint;
    readonly grant: Grant;
    /** Which of those it receives, as filter text for Ethernet; absent for all. */
    readonly residual?: string;
    /** Which frames it may send; absent for what `from` may. */
    readonly sends?: Grant;
    readonly rights: Rights;
    readonly quotaPages: number;
    readonly copyBytesMax?: number;
    /** In whose table it goes; absent for the asker's own. */
    readonly to?: PortId;
    /** In how many milliseconds it expires; absent, or longer than its parent's: with its parent. */
    readonly lifetimeMs?: number;
    /** How much goes through, each way, within what `from` lets through; absent for no limit but those. */
    readonly limit?: RateLimit;
  }
  /** Delegates packets to another holder, under a tag of its own. */
  | {
    readonly id: number;
    readonly op: "delegate";
    readonly capability: bigint;
    /** In whose table it goes. */
    readonly to: PortId;
    /** Some of the capability's; absent for all. */
    readonly rights?: Rights;
    /** Pages out of the capability's quota; absent for all that it has left. */
    readonly quotaPages?: number;
    /** As for `derive`. */
    readonly lifetimeMs?: number;
    /** As for `derive`. */
    readonly limit?: RateLimit;
  }
  /** `close`: nothing more is derived from it. `revoke`: ends what was. `drop`: ends it, too. */
  | {
    readonly id: number;
    readonly op: "close" | "revoke" | "drop";
    readonly capability: bigint;
  }
  /** What a capability of the asker's own counted so far. */
  | {
    readonly id: number;
    readonly op: "account";
    readonly capability: bigint;
  };

/** The answer to the request with the same `id`. */
export type FilterReply =
  /** A new capability; its packets flow already. */
  | { readonly id: number; readonly capability: bigint }
  /** Done, and in force. */
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly account: CapabilityAccount }
  /** Refused; `message` says why in words. */
  | {
    readonly id: number;
    readonly refused: Refusal | "driver";
    readonly message: string;
  };

/** From the system to a filter service in a worker. */
export type FilterOrder =
  /** Connects a holder. The MessagePort is transferred. */
  | {
    readonly kind: "attach";
    readonly port: PortId;
    readonly requests: MessagePort;
  }
  /** A holder has ended: all of its capabilities are revoked. Answered by `released`. */
  | { readonly kind: "detach"; readonly port: PortId; readonly id: number }
  /** Answered by `pong`: it is alive. */
  | { readonly kind: "ping"; readonly id: number }
  /** Answered by `described`. */
  | { readonly kind: "describe"; readonly id: number }
  /** Closes the ports. A worker is terminated besides. */
  | { readonly kind: "stop" };

/** From a filter service in a worker to the system. */
export type FilterReport =
  /** The NIC's root capability, in the system's table. */
  | { readonly kind: "root"; readonly root: bigint }
  | { readonly kind: "released"; readonly id: number }
  | { readonly kind: "pong"; readonly id: number }
  | {
    readonly kind: "described";
    readonly id: number;
    readonly capabilities: readonly CapabilityDescription[];
    readonly refusals: readonly PortRefusals[];
  }
  /** Reports that a holder was cut off for what it asked: refusals, by reason. */
  | {
    readonly kind: "cut-off";
    readonly port: PortId;
    readonly refusals: Counts;
  };

/** A live capability in words; its tag is not among them. */
export interface CapabilityDescription {
  readonly slot: number;
  /** The slot of what it was derived from. */
  readonly parent: number;
  readonly rights: Rights;
  readonly port: PortId;
  readonly filter: string;
  readonly quotaPages: number;
  /** Whether others were derived from it. */
  readonly narrowed: boolean;
}

/** What one holder was refused, by reason. */
export interface PortRefusals {
  readonly port: PortId;
  readonly refusals: Counts;
}
