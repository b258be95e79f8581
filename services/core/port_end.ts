/** What a service's shell does with each end of a port that its core has opened. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Port } from "../../caps/port/port.ts";
import type { Instant } from "../runtime/clock.ts";
import type { Outbox } from "./core.ts";

/** An end of a port, as its service's shell sees it. */
export interface PortEnd {
  /** Connects it; `onReady` is called when something has arrived. */
  connect(id: number, port: Port<ArrayBuffer, unknown>, peer: string): void;
  /** Takes the other end of connection `id` away. */
  close(id: number, now: Instant, out: Outbox): void;
  /** Handles what has arrived. Returns how many messages that was. */
  serve(now: Instant, out: Outbox): number;
  /** When {@link expire} is to be called. */
  readonly nextUs: Instant;
  /** Ends what has waited too long. */
  expire(now: Instant, out: Outbox): void;
  /** Posts what was put together, at the end of a turn. */
  flush(now: Instant): void;
  /** What was counted. */
  counters(): Counts;
  /** Closes all. */
  dispose(): void;
}
