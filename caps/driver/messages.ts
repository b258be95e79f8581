/**
 * What crosses between a NIC's filter service, its driver service and the
 * system: control messages, seldom, each a plain object.
 */

import type { TrustedRings } from "../port/trusted_ring.ts";
import type { CapabilityAccount, Counts, PacketCounts } from "./accounts.ts";
import type { PagesSnapshot } from "../memory/page_ledger.ts";
import type { PortId } from "../kernel/kernel.ts";
import type {
  KernelMapChange,
  KernelProgram,
  SocketFilter,
  WasmPatch,
  WasmProgram,
} from "./program.ts";
import type { RateLimit } from "../kernel/rate_limit.ts";
import { IN_FLIGHT_MAX, RUN_PAGES_MAX } from "../port/records.ts";
import type { Rights } from "../kernel/rights.ts";

/** A live capability, as a driver needs to know it. */
export interface AccountSpec {
  readonly slot: number;
  readonly tagLow: number;
  readonly tagHigh: number;
  /** Port of the holder. */
  readonly port: PortId;
  /** The slot of what it was derived from; absent or 0 for the root. */
  readonly parent?: number;
  readonly rights: Rights;
  readonly quotaPages: number;
  readonly copyBytesMax: number;
  /** Rate limit of this capability's own. */
  readonly limit?: RateLimit;
  /** The nearest ancestor with a limit, which holds besides: a slot. It is opened first. */
  readonly limitedBy?: number;
}

/** What capabilities have left now that others were carved out of them, or have given back what was. */
export type QuotaChanges = readonly {
  readonly slot: number;
  readonly quotaPages: number;
}[];

/**
 * Says that the NIC's program is only a cover: it takes all that is granted and
 * more, with a tag that is nobody's, and packet memory is classified.
 */
export interface KernelCover {
  /** Why there is no better one: a line that says it, then all that is known (a verifier's log). */
  readonly why: string;
  /** Ethernet addresses to which it takes every packet, six bytes each: none may be the interface's own. */
  readonly addresses: readonly (readonly number[])[];
}

/** From the filter service to the driver service. */
export type DriverOrder =
  /** New capabilities, and classifiers that know all that are live. Answered by `committed`. */
  | {
    readonly kind: "commit";
    readonly version: number;
    readonly opened: readonly AccountSpec[];
    readonly quotas: QuotaChanges;
    /** The program, or the module that was compiled of one elsewhere. */
    readonly wasm: WasmProgram | WebAssembly.Module;
    /** Classifier for the NIC itself, where it can take one. */
    readonly kernel?: KernelProgram;
    /** Where `kernel` is a cover instead. */
    readonly cover?: KernelCover;
    /** What a packet socket need not take, where the NIC is one. */
    readonly socket?: SocketFilter;
  }
  /**
   * New capabilities, and changes to the tables of the classifiers that were
   * committed last, so that they know all that are live. Answered by `committed`.
   */
  | {
    readonly kind: "patch";
    readonly version: number;
    readonly opened: readonly AccountSpec[];
    readonly quotas: QuotaChanges;
    readonly wasm: WasmPatch;
    /** Where the NIC has a classifier. */
    readonly kernel?: readonly KernelMapChange[];
  }
  /** What a capability counted so far; answered by `account`. */
  | { readonly kind: "account"; readonly id: number; readonly slot: number }
  /**
   * Revokes capabilities at once; the packets of each go to its fallback,
   * the nearest receiving ancestor, until a commit says better. Answered by
   * `revoked`: from then on nothing more is posted to them. A subtree may be
   * large, and numbers side by side cross a port much faster than objects.
   */
  | {
    readonly kind: "revoke";
    readonly id: number;
    /** A slot and its fallback's, again and again. */
    readonly ended: Uint32Array;
  }
  /** What had been carved out of these is theirs again. Not answered. */
  | { readonly kind: "quota"; readonly quotas: QuotaChanges };

/** One that changes what is installed. */
export type InstallOrder = Extract<
  DriverOrder,
  { readonly kind: "commit" | "patch" }
>;

/** From the driver service to the filter service. */
export type DriverReport =
  | {
    readonly kind: "committed";
    readonly version: number;
    /** Why the NIC did not take the kernel program, and has the one before: as in {@link KernelCover}. Absent when it did or none was given. */
    readonly kernelRefusal?: string;
  }
  | { readonly kind: "revoked"; readonly id: number }
  | {
    readonly kind: "account";
    readonly id: number;
    /** Absent when no live capability has that slot. */
    readonly counts?: AccountCounts;
  }
  /** The last pages of these revoked capabilities have come back. */
  | { readonly kind: "drained"; readonly slots: Uint32Array };

/** One capability's counts. */
export interface AccountCounts extends CapabilityAccount {
  readonly slot: number;
  readonly port: PortId;
}

/** The sum of what a holder's revoked capabilities counted. */
export interface EndedCounts extends PacketCounts {
  readonly port: PortId;
  /** How many they were. */
  readonly accounts: number;
}

/** A driver service's counts at one moment. */
export interface DriverCounts {
  readonly name: string;
  readonly mode: string;
  /** Why packet memory is classified though the NIC could do it: as in {@link KernelCover}. */
  readonly kernelRefusal?: string;
  readonly mac: Uint8Array;
  /** The mask of the interface's own IPv4 network, in host byte order. */
  readonly netmask?: number;
  readonly ended: boolean;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly unclaimedPackets: number;
  readonly counters: Counts;
  readonly pages: PagesSnapshot;
  readonly accounts: readonly AccountCounts[];
  /** Of revoked capabilities, a sum for each holder, those that were terminated included. */
  readonly endedAccounts: readonly EndedCounts[];
  /** Messages of each holder that were refused, by reason. */
  readonly refusals: readonly {
    readonly port: PortId;
    readonly refusals: Counts;
  }[];
}

/** What a holder is held to. */
export interface HolderLimits {
  /** Up to how many pages that lie side by side go to it as one buffer. */
  readonly runPagesMax: number;
  /** The most messages that it may have under way; it is cut off at one more. */
  readonly inFlightMax: number;
}

/** Of a holder that gives back whole deliveries, as they came. */
export const PLAIN_LIMITS: HolderLimits = {
  runPagesMax: RUN_PAGES_MAX,
  inFlightMax: IN_FLIGHT_MAX,
};

/**
 * Of one behind interposers, which may keep a packet while they give the next
 * one back, and let go at once of all that they held: it is they that hold the
 * holder to {@link IN_FLIGHT_MAX}.
 */
export const INTERPOSED_LIMITS: HolderLimits = {
  runPagesMax: 1,
  inFlightMax: 4096,
};

/** How a service's process is started. */
export interface ProcessCommand {
  /** Name of the service. */
  readonly name: string;
  /** Puts its code together, as one file on its standard output: the path of an executable first. */
  readonly bundle: readonly string[];
  /** Runs that file, which is its fourth descriptor. */
  readonly command: readonly string[];
  /** Runs the code from where it is, for where it cannot be put together. */
  readonly unbundled: readonly string[];
  /** `NAME=value` each. */
  readonly environment: readonly string[];
  /** The most memory that it may have for data, in bytes (RLIMIT_DATA). */
  readonly dataBytesMax: number;
}

/** The ends of the channels of a service in a process. */
export interface ProcessEnds {
  /** To the system. */
  readonly control: MessagePort;
  /** To the filter service. */
  readonly requests: MessagePort;
  /** Where its packets come another way than by the driver service itself: from there. */
  readonly data?: MessagePort;
}

/** From the system to a driver service in a worker. */
export type SystemOrder =
  /** Connects a holder. The MessagePort is transferred. */
  | {
    readonly kind: "attach";
    readonly port: PortId;
    readonly data: MessagePort;
    /** For one that is trusted with packet memory. */
    readonly rings?: TrustedRings;
  } & HolderLimits
  /** Starts a process for a service, and connects it as a holder unless its packets come another way. */
  | {
    readonly kind: "spawn";
    readonly port: PortId;
    readonly process: ProcessCommand;
    readonly holds: boolean;
  } & HolderLimits
  /** Tells the process of a service what it is. The MessagePorts are transferred. */
  | {
    readonly kind: "begin";
    readonly port: PortId;
    /** The first message to the service, without its ports: plain data. */
    readonly start: unknown;
  } & ProcessEnds
  /** Connects a holder whose code is called in the driver's own thread. */
  | { readonly kind: "attach-called"; readonly port: PortId }
  /**
   * Runs a service in the driver's own thread, as the holder at `port`. What it is
   * started with is for those to know who put it there; its ports are transferred.
   */
  | { readonly kind: "run"; readonly port: PortId; readonly service: unknown }
  /** A holder was terminated; its process is, if it has one. */
  | { readonly kind: "detach"; readonly port: PortId }
  /** Packets are received from now on. */
  | { readonly kind: "receive" }
  /** Answered by `counts`. */
  | { readonly kind: "count"; readonly id: number }
  /** Closes the NIC. Answered by `stopped`, the last message. */
  | { readonly kind: "stop" };

/** What a NIC takes, as cores are told of it. */
export interface NicAbilities {
  /** The largest packet behind an Ethernet header, in bytes: what its interface takes now. */
  readonly mtu: number;
  /**
   * What the NIC does itself, as bits (caps/port/offload.ts); what it does not, the
   * driver does.
   */
  readonly offloads: number;
}

/** From a driver service in a worker to the system. */
export type SystemReport =
  /** The NIC is open. */
  | { readonly kind: "open" } & NicAbilities
  /** Something that a person should know of the NIC, and what to do about it, in one line. */
  | { readonly kind: "notice"; readonly text: string }
  | {
    readonly kind: "counts";
    readonly id: number;
    readonly counts: DriverCounts;
  }
  /** Reports that a holder was cut off for what it sent: refusals, by reason. */
  | {
    readonly kind: "cut-off";
    readonly port: PortId;
    readonly refusals: Counts;
  }
  /** Nothing will ever arrive again, and all that did was handled. */
  | {
    readonly kind: "ended";
    /** What was wrong with that end, in one line. */
    readonly warning?: string;
  }
  | { readonly kind: "stopped"; readonly counts: DriverCounts }
  /** The driver cannot go on: what happened, and what to do, in one line. */
  | { readonly kind: "failed"; readonly message: string };
