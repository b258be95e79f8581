/** A tunnel as a system's NIC: Ethernet over UDP. */

import {
  formatSocketAddress,
  type SocketAddress,
} from "../../caps/driver/socket_address.ts";
import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { EmulatedDriver, type EmulatedOptions } from "../emulated/driver.ts";
import { readKeyFile } from "./key_file.ts";
import { Secret } from "./secret.ts";
import { openSocket } from "./socket.ts";
import { openTunnel, type TunnelEnd } from "./tunnel.ts";

/** What a system opens the NIC with: plain data. */
export interface UdpNicOptions {
  /** The NIC's hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** Where the tunnel's own datagrams come in. */
  readonly local: SocketAddress;
  /** Where they go; datagrams of anybody else are not taken. */
  readonly peer: SocketAddress;
  /** The path of the file with the link's key. */
  readonly key: string;
}

/**
 * Opens the tunnel; the peer need not be there.
 * @throws {Error} when the key or the socket cannot be had, in one line.
 */
export async function openUdpNic(
  options: UdpNicOptions,
  memory: PacketMemory,
): Promise<Driver> {
  const { local, peer, key, mac } = options;
  const secret = await Secret.of(readKeyFile(key));
  const end = openTunnel({ secret, socket: openSocket(local, peer) });
  const name = `udp:${formatSocketAddress(local)},${formatSocketAddress(peer)}`;
  const mode = "tunnel in UDP, AES-256-GCM";
  return new TunnelDriver({ memory, end, mac, name, mode: () => mode });
}

/** A driver that says why its socket was closed. */
export class TunnelDriver extends EmulatedDriver {
  readonly #end: TunnelEnd;

  /** Owns `options.end` from now on. */
  constructor(options: EmulatedOptions & { readonly end: TunnelEnd }) {
    super(options);
    this.#end = options.end;
  }

  /** Lines about the peer for whoever runs the system. */
  takeNotices(): readonly string[] {
    return this.#end.takeNotices();
  }

  /** Why the tunnel has ended, in words. */
  get warning(): string | undefined {
    return this.#end.failure;
  }
}
