/** A system that the reference model is compared with, as a game sees it. */

import type { RecordMove } from "./moves.ts";
import type { Counted, Ending, Offload, Right } from "./terms.ts";
import type { GrantPart, Text } from "./universe.ts";

/** A capability wanted, as a system takes it. */
export interface Asked {
  /** Which of the parent's frames. */
  readonly grant: readonly GrantPart[];
  /** Which of those it receives; absent for all. */
  readonly residual?: Text | undefined;
  /** Which it may send; absent for what the parent may. */
  readonly sends?: readonly GrantPart[] | undefined;
  /** What it may do. */
  readonly rights: readonly Right[];
  /** Pages of the parent's that are its own from now on. */
  readonly quotaPages: number;
  /** Longer frames come as pages; absent for the parent's limit. */
  readonly copyBytesMax?: number | undefined;
  /** The port of its holder. */
  readonly to: number;
  /** After how many ticks it ends by itself; absent for with its parent. */
  readonly lifetime?: number | undefined;
}

/** What is to be delegated, as a system takes it. */
export type AskedDelegation =
  & Pick<Asked, "to" | "lifetime">
  & {
    readonly rights?: readonly Right[] | undefined;
    readonly quotaPages?: number | undefined;
  };

/** A record as a system takes it: a page is known by the number of the packet that came in it. */
export type AskedRecord =
  | {
    readonly kind: "send";
    readonly frame: number;
    readonly serial: number;
    readonly page?: number;
    readonly offload?: Offload;
  }
  | { readonly kind: "return"; readonly page: number }
  | Extract<RecordMove, { kind: "forge" | "short" | "long" | "unreadable" }>;

/** What a holder sent a moment before it was terminated. */
export interface LastMessage {
  /** Under which capability. */
  readonly cap: number;
  readonly records: readonly AskedRecord[];
}

/** What one capability's account says. */
export interface SeenAccount {
  /** Pages that its holder has, or that are on their way out. */
  readonly held: number;
  /** Packets that were delivered. */
  readonly packets: number;
  /** Bytes of the packets received. */
  readonly bytes: number;
  /** Frames that were sent. */
  readonly sentPackets: number;
  /** Bytes of the packets sent. */
  readonly sentBytes: number;
  /** Packets that were not delivered or not sent, by reason. */
  readonly drops: Counted;
}

/** All that can be seen of a system. */
export interface Seen {
  /** Since the last look: `capability frame#serial copy|page`, and the offload word if there is one, sorted. */
  readonly delivered: readonly string[];
  /** Since the last look: what the wire got, by `nameSent` of sent_names.ts, in order. */
  readonly sent: readonly string[];
  /** Of each live capability but the root. */
  readonly accounts: Readonly<Record<number, SeenAccount>>;
  /** Of each holder: what was refused, by reason. */
  readonly refused: Readonly<Record<number, Counted>>;
  /** Pages that holders have. */
  readonly lent: number;
  /** Pages that the NIC has to send. */
  readonly inFlight: number;
  /** Pages that holders had when they went. */
  readonly quarantined: number;
  /** Frames that were unclaimed. */
  readonly unclaimed: number;
  /** Frames that were longer than the MTU says. */
  readonly tooLarge: number;
}

/** A system that moves are played with. Capabilities are known by their number; one that there never was has a made-up tag. */
export interface CapabilitySystem {
  /** Why not; undefined when it is the next capability. */
  derive(port: number, cap: number, asked: Asked): Promise<string | undefined>;
  /** Delegates to another holder. Says why not; undefined when the result is the next capability. */
  delegate(
    port: number,
    cap: number,
    asked: AskedDelegation,
  ): Promise<string | undefined>;
  /** Ends what a capability stands for. Why not; undefined when it is done. */
  end(
    op: Ending,
    port: number,
    cap: number,
  ): Promise<string | undefined>;
  /** Time passes. */
  elapse(ticks: number): void | Promise<void>;
  /** A new holder. */
  attach(port: number): void | Promise<void>;
  /** Terminates a holder; with `last`, while a message of its is on the way. */
  crash(port: number, last?: LastMessage): void | Promise<void>;
  /** Frames arrive, each with a number of its own. */
  receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): void | Promise<void>;
  /** A holder sends its driver a message under a capability. */
  submit(
    port: number,
    cap: number,
    records: readonly AskedRecord[],
  ): void | Promise<void>;
  /** The NIC keeps what it is given to send, or lets go of it. */
  stall(stalled: boolean): void | Promise<void>;
  /** The MTU is changed: frames have at most so many bytes from now on. */
  setFrameBytesMax(frameBytesMax: number): void | Promise<void>;
  /** The driver and the filter service begin another life, with a new root: none of the holders is attached to them. Absent where they have one life alone. */
  restart?(): void;
  /**
   * The driver is busy, or has time again. Meanwhile nothing that is asked is
   * done there, and what is asked of the filter service happens in the order in
   * which it was asked. Absent where a driver is never busy.
   */
  hold?(held: boolean): Promise<void>;
  /** A holder sends what is no message at all. */
  garbage(
    port: number,
    to: "filter" | "driver",
    which: number,
  ): void | Promise<void>;
  /** What can be seen of it now. */
  see(): Seen | Promise<Seen>;
}
