/** What makes a protocol core a service: which packets it wants, and which it sends. */

import type { Core } from "./core.ts";
import type { Ports } from "./ports.ts";
import type { IpPrefix } from "../wire/ip_address.ts";
import type { Grant } from "../filter/grant/grant.ts";

/** What every service is told of itself: plain data. */
export interface ServiceSettings {
  /** The first IPv4 address that it answers on, as a number. */
  readonly address: number;
  /** Bits of its network's prefix. */
  readonly prefixBits: number;
  /** All addresses that it answers on, IPv4 and IPv6; `address` alone by default. */
  readonly addresses?: readonly IpPrefix[];
  /** The Ethernet address: six bytes. */
  readonly mac: Uint8Array;
  /**
   * The largest packet behind an Ethernet header, in bytes, as the NIC said when
   * the service was started: what is longer is dropped. 1,500 by default.
   */
  readonly mtu?: number;
  /**
   * What the NIC does itself with what is sent, as bits: OFFLOAD_CHECKSUM, and
   * offloadsGso() of each kind. The driver does the rest: a wish in a frame's offload
   * word is granted on every NIC. 0 by default.
   */
  readonly offloads?: number;
  /** VLAN of the service, 1 to 4094; none by default: frames without a tag, or with one of VLAN 0. */
  readonly vlan?: number;
}

/** A service, before it runs anywhere. `Settings` may have fields of its own. */
export interface ServiceDefinition<
  Settings extends ServiceSettings = ServiceSettings,
> {
  /** The frames that it asks a capability for. */
  receives(settings: Settings): Grant;
  /** The frames that it must be able to send. */
  sends(settings: Settings): Grant;
  /** Makes its core, which opens its ports to other services meanwhile. */
  make(settings: Settings, ports: Ports): Core;
}
