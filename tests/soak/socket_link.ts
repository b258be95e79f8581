/** A packet socket in a network namespace as the wire of a host of ours. */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  ETH_P_ALL,
  MSG_DONTWAIT,
  PACKET_STATISTICS,
  SOL_PACKET,
} from "../../drivers/sys/abi.ts";
import { closeDescriptor, libc } from "../../drivers/sys/libc.ts";
import type { FrameLink } from "../../services/peer/runner.ts";
import { inNamespace } from "../drivers/tap/rig.ts";
import { openPacketSocket } from "../drivers/xdp/rig.ts";
import { INTERFACE, type Namespace } from "../netns.ts";

const LOOK_MS = 1;

/** Takes all that arrives there, and sends. What it cannot is counted. */
export class SocketLink implements FrameLink {
  readonly frameBytesMax = 1514;
  readonly #socket: number;
  readonly #next = new Uint8Array(2048);
  #nextBytes = 0;
  #refused = 0;
  #overflowed = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(space: Namespace) {
    this.#socket = inNamespace(
      space.name,
      () => openPacketSocket(INTERFACE, ETH_P_ALL),
    );
  }

  send(bytes: Uint8Array, start: number, length: number): boolean {
    const frame = new Uint8Array(bytes.subarray(start, start + length));
    const sent = libc().write(this.#socket, frame, BigInt(length)) === length;
    if (!sent) this.#refused++; // a veth's queue is full: ENOBUFS
    return sent;
  }

  flush(): void {}

  peek(): number {
    if (this.#nextBytes > 0) return this.#nextBytes;
    const size = BigInt(this.#next.length);
    const length = libc().recv(this.#socket, this.#next, size, MSG_DONTWAIT);
    this.#nextBytes = Math.max(0, Math.min(length, this.frameBytesMax));
    return this.#nextBytes;
  }

  receive(into: Uint8Array | undefined, start: number): number {
    const length = this.peek();
    into?.set(this.#next.subarray(0, length), start);
    this.#nextBytes = 0;
    return length;
  }

  onArrival(notify: () => void): void {
    this.#timer = setInterval(() => {
      if (this.peek() > 0) notify();
    }, LOOK_MS);
  }

  /** Frames that it could not send, and that it had no room for. */
  counters(): Counts {
    const counts = new Uint32Array(2); // struct tpacket_stats, which is reset when read
    const size = new Uint32Array([counts.byteLength]);
    const result = libc().getsockopt(
      this.#socket,
      SOL_PACKET,
      PACKET_STATISTICS,
      counts.buffer,
      size,
    );
    if (result === 0) this.#overflowed += counts[1]!;
    return { "tx-refused": this.#refused, "rx-overflow": this.#overflowed };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    closeDescriptor(this.#socket);
  }
}
