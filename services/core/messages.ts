/** What the system and a service say to each other. */

import type { FilterReply, FilterRequest } from "../filter/service/messages.ts";
import type { PortEnd } from "../../caps/port/port.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import type { TrustedAccess } from "../../caps/port/trusted_ring.ts";
import type { Counts } from "../../caps/driver/accounts.ts";
import type { ServiceNews } from "./core.ts";
import type { ServiceSettings } from "./definition.ts";
import type { OpenedPorts, PortConnection, PortCounts } from "./ports.ts";
import type { ServiceFrames } from "./within_envelope.ts";

/** The ends of the channels that every service has. */
export interface ServiceEnds {
  /** To the driver service. */
  readonly data: PortEnd<Submission | null, Delivery | null>;
  /** To the filter service. */
  readonly requests: PortEnd<FilterRequest, FilterReply>;
  /** To the system. */
  readonly control: PortEnd<ServiceReport, ServiceOrder>;
}

/** {@link ServiceEnds} as they go to a worker. */
export interface WorkerEnds extends ServiceEnds {
  readonly data: MessagePort;
  readonly requests: MessagePort;
  readonly control: MessagePort;
}

/** What connects a service to a NIC. */
export interface Connection<Ends extends ServiceEnds = WorkerEnds> {
  /** A capability for all that it may have: it narrows this one. */
  readonly envelope: bigint;
  /** Frames of the envelope, for telling a service that asks for none of them. */
  readonly may?: ServiceFrames;
  /** Absent for a service that is called in the driver's thread. */
  readonly data?: Ends["data"];
  readonly requests: Ends["requests"];
  /** For a service that is trusted with packet memory. */
  readonly trusted?: TrustedAccess;
}

/** The first message to a service: all that it holds. */
export interface ServiceStart<Ends extends ServiceEnds = WorkerEnds>
  extends Connection<Ends> {
  readonly settings: ServiceSettings;
  readonly quotaPages: number;
  readonly copyBytesMax: number;
  /** Whether it looks for work for a while before it sleeps, on a thread of its own. */
  readonly spin?: boolean;
  /** For a third party's service: its code, as a `data:` URL. */
  readonly module?: string;
  readonly control: Ends["control"];
}

/** From the system to a service. */
export type ServiceOrder =
  /** Answered by `counters`, which also shows that the service is alive. */
  | { readonly kind: "count"; readonly id: number }
  /** The NIC was started again, and what was held before is void. Answered by `running`. */
  | ({ readonly kind: "reconnect" } & Connection<ServiceEnds>)
  /** Connects one of its ports with another service. */
  | (
    & {
      readonly kind: "connect-port";
      readonly port: PortEnd<ArrayBuffer, unknown>;
    }
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
    /** What its worker uses: the heap and what lies beside it; 0 for a service without a thread of its own. */
    readonly memoryBytes: number;
  }
  | { readonly kind: "failed"; readonly message: string };
