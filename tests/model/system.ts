/** A system that the reference model is compared with, as a game sees it. */

import type { RecordMove } from "./moves.ts";
import type { Counted, Ending, Right } from "./terms.ts";
import type { GrantPart, Text } from "./universe.ts";

/** A capability wanted, as a system takes it. */
export interface Asked {
  readonly grant: readonly GrantPart[];
  readonly residual?: Text | undefined;
  readonly sends?: readonly GrantPart[] | undefined;
  readonly rights: readonly Right[];
  readonly quotaPages: number;
  readonly copyBytesMax?: number | undefined;
  readonly to: number;
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
  }
  | { readonly kind: "return"; readonly page: number }
  | Extract<RecordMove, { kind: "forge" | "short" | "unreadable" }>;

/** What one capability's account says. */
export interface SeenAccount {
  readonly held: number;
  readonly packets: number;
  readonly bytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly drops: Counted;
}

/** All that can be seen of a system. */
export interface Seen {
  /** Since the last look: `capability frame#serial copy|page`, sorted. */
  readonly delivered: readonly string[];
  /** Since the last look: what the wire got, `frame#serial`, in order. */
  readonly sent: readonly string[];
  /** Of each live capability but the root. */
  readonly accounts: Readonly<Record<number, SeenAccount>>;
  /** Of each holder: what was refused, by reason. */
  readonly refused: Readonly<Record<number, Counted>>;
  readonly lent: number;
  readonly inFlight: number;
  readonly quarantined: number;
  readonly unclaimed: number;
}

/** A system that moves are played with. Capabilities are known by their number; one that there never was has a made-up tag. */
export interface CapabilitySystem {
  /** Why not; undefined when it is the next capability. */
  derive(port: number, cap: number, asked: Asked): Promise<string | undefined>;
  delegate(
    port: number,
    cap: number,
    asked: AskedDelegation,
  ): Promise<string | undefined>;
  end(
    op: Ending,
    port: number,
    cap: number,
  ): Promise<string | undefined>;
  elapse(ticks: number): void | Promise<void>;
  attach(port: number): void | Promise<void>;
  crash(port: number): void | Promise<void>;
  receive(
    frames: readonly { readonly frame: number; readonly serial: number }[],
  ): void | Promise<void>;
  submit(
    port: number,
    cap: number,
    records: readonly AskedRecord[],
  ): void | Promise<void>;
  stall(stalled: boolean): void | Promise<void>;
  garbage(
    port: number,
    to: "filter" | "driver",
    which: number,
  ): void | Promise<void>;
  see(): Seen | Promise<Seen>;
}
