/** What makes a protocol core a service: which packets it wants, and which it sends. */

import type { Core } from "./core.ts";
import type { Grant } from "../filter/grant/grant.ts";

/** What a service is told of itself: plain data. */
export interface ServiceSettings {
  /** The IPv4 address that it answers on, as a number. */
  readonly address: number;
  /** Bits of its network's prefix. */
  readonly prefixBits: number;
  /** Its Ethernet address: six bytes. */
  readonly mac: Uint8Array;
  /** Where it listens, for a service that has ports. */
  readonly port?: number;
}

/** A service, before it runs anywhere. */
export interface ServiceDefinition {
  /** The frames that it asks a capability for. */
  receives(settings: ServiceSettings): Grant;
  /** The frames that it must be able to send. */
  sends(settings: ServiceSettings): Grant;
  /** Its core. */
  make(settings: ServiceSettings): Core;
}
