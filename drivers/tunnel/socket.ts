/** The socket of a tunnel; no other driver opens one. */

import {
  formatSocketAddress,
  type SocketAddress,
} from "../../caps/driver/socket_address.ts";
import type { Bytes } from "./datagram.ts";

/** A datagram that arrived. */
export interface Received {
  readonly bytes: Bytes;
  /** Where it came from. */
  readonly from: SocketAddress;
}

/** Sends datagrams to a peer or to anybody else, and receives from anybody. */
export interface DatagramSocket extends Disposable {
  /** Where the peer is at first. */
  readonly peer: SocketAddress;
  /** Sends one, to the peer's first address by default. @throws when the kernel refuses it. */
  send(datagram: Bytes, to?: SocketAddress): Promise<void>;
  /**
   * Receives the next one into `into`, and cuts off what does not fit.
   * @returns undefined once the socket is closed.
   * @throws when the kernel has no more of them.
   */
  receive(into: Bytes): Promise<Received | undefined>;
}

/**
 * Opens a UDP socket at `local` to `peer`.
 * @throws {Error} when that cannot be done: what happened and what to do.
 */
export function openSocket(
  local: SocketAddress,
  peer: SocketAddress,
): DatagramSocket {
  const socket = listen(local);
  let closed = false;
  return {
    peer,
    async send(datagram, { hostname, port } = peer) {
      await socket.send(datagram, { transport: "udp", hostname, port });
    },
    async receive(into) {
      try {
        const [datagram, from] = await socket.receive(into);
        const { hostname, port } = from as Deno.NetAddr;
        return { bytes: datagram as Bytes, from: { hostname, port } };
      } catch (error) {
        if (closed) return undefined;
        throw error;
      }
    },
    [Symbol.dispose]() {
      if (!closed) socket.close();
      closed = true;
    },
  };
}

function listen(local: SocketAddress): Deno.DatagramConn {
  if (Deno.listenDatagram === undefined) {
    throw new Error(
      'udp: it needs Deno.listenDatagram, which is off in this program: add "unstable": ["net"] to its deno.json, or run it with --unstable-net',
    );
  }
  try {
    return Deno.listenDatagram({ transport: "udp", ...local });
  } catch (error) {
    throw new Error(
      `udp: cannot receive at ${formatSocketAddress(local)}: ${
        reasonOf(error)
      }`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is taken; stop what has it, or choose another on both sides";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine does not have the address; `ip address` lists those that it has";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not; ports below 1024 are for privileged ones";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno's permissions of this process do not allow it";
  }
  return (error as Error).message;
}
