/** What the system and a service say to each other. */

import type { TrustedAccess } from "../../caps/port/trusted_ring.ts";
import type { Counts } from "../../caps/driver/accounts.ts";
import type { ServiceNews } from "./core.ts";
import type { ServiceSettings } from "./definition.ts";
import type { OpenedPorts, PortConnection, PortCounts } from "./ports.ts";
import type { ServiceFrames } from "./within_envelope.ts";

/** What connects a service to a NIC. */
export interface Connection {
  /** A capability for all that it may have: it narrows this one. */
  readonly envelope: bigint;
  /** Frames of the envelope, for telling a service that asks for none of them. */
  readonly may?: ServiceFrames;
  /** To the driver service. */
  readonly data: MessagePort;
  /** To the filter service. */
  readonly requests: MessagePort;
  /** For a service that is trusted with packet memory. */
  readonly trusted?: TrustedAccess;
}

/** The first message to a service: all that it holds. */
export interface ServiceStart extends Connection {
  readonly settings: ServiceSettings;
  readonly quotaPages: number;
  readonly copyBytesMax: number;
  /** Whether it looks for work for a while before it sleeps, on a thread of its own. */
  readonly spin?: boolean;
  /** For a third party's service: its code, as a `data:` URL. */
  readonly module?: string;
  /** To the system. */
  readonly control: MessagePort;
}

/** From the system to a service. */
export type ServiceOrder =
  /** Answered by `counters`, which also shows that the service is alive. */
  | { readonly kind: "count"; readonly id: number }
  /** The NIC was started again, and what was held before is void. Answered by `running`. */
  | ({ readonly kind: "reconnect" } & Connection)
  /** Connects one of its ports with another service. */
  | (
    & { readonly kind: "connect-port"; readonly port: MessagePort }
    & PortConnection
  )
  /** The service at the other end of connection `id` has ended. */
  | { readonly kind: "close-port"; readonly id: number }
  /** What became of a service that it watches. */
  | ({ readonly kind: "news" } & ServiceNews)
  /** Closes the ports. A worker is terminated besides. */
  | { readonly kind: "stop" };

/** From a service to the system. */
export type ServiceReport =
  /** Reports that it has its capability: packets flow. The first time, with the ports that its core has opened. */
  | { readonly kind: "running"; readonly ports?: OpenedPorts }
  | {
    readonly kind: "counters";
    readonly id: number;
    readonly counters: Counts;
    /** At the ends of its ports. */
    readonly ports: readonly PortCounts[];
    /** What its worker uses: the heap and what lies beside it. */
    readonly memoryBytes: number;
  }
  | { readonly kind: "failed"; readonly message: string };
