/**
 * Two TAPs of ours in one namespace, joined by a bridge of the kernel's: what
 * goes into one comes out of the other, taken apart on the way by the kernel
 * where the other does not take it whole.
 */

import {
  batchAt,
  frameAt,
  makePacketMemory,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openTap } from "../../../drivers/tap/open.ts";
import type { Namespace } from "../../netns.ts";
import { inNamespace } from "./rig.ts";

/** How long nothing has to come before nothing more does. */
const QUIET_MS = 200;

/** A driver with its memory. */
export class Port implements Disposable {
  readonly memory: PacketMemory;
  readonly driver: Driver;
  readonly #frames: Uint32Array;

  /** Opens a TAP in `space`; one that takes super-packets whole, or none. */
  constructor(space: Namespace, name: string, superPackets: boolean) {
    this.memory = makePacketMemory(320, superPackets ? 16 : 0);
    const { memory } = this;
    this.driver = inNamespace(
      space.name,
      () => openTap({ kind: "tap", interfaceName: name, memory }),
    );
    this.#frames = superPackets
      ? Uint32Array.from({ length: 16 }, (_, i) => 320 + 17 * i)
      : Uint32Array.from({ length: 300 }, (_, i) => i);
    this.driver.provide(this.#frames, this.#frames.length);
  }

  /** Sends a packet from `offset` of packet memory. */
  send(offset: number, length: number, offload: number): void {
    const batch = batchAt(this.memory, SEND_BATCH_OFFSET);
    batch.offset[0] = offset;
    batch.length[0] = length;
    batch.offload[0] = offload;
    const back = new Uint32Array(1);
    if (this.driver.transmit(batch, 1) !== 1) throw new Error("no room");
    if (this.driver.reclaim(back) !== 1) throw new Error("not sent");
  }

  /** Takes `count` packets, or what has come when nothing more does. */
  async take(count: number): Promise<TakenPacket[]> {
    const batch = batchAt(this.memory, RECEIVE_BATCH_OFFSET);
    const taken: TakenPacket[] = [];
    let quietAtMs = performance.now() + QUIET_MS;
    while (taken.length < count && performance.now() < quietAtMs) {
      const got = this.driver.receive(batch, 256);
      for (let i = 0; i < got; i++) {
        const at = batch.offset[i]!;
        taken.push({
          bytes: this.memory.bytes.slice(at, at + batch.length[i]!),
          offload: batch.offload[i]!,
        });
        this.driver.provide(Uint32Array.of(frameAt(at)), 1);
      }
      if (got > 0) quietAtMs = performance.now() + QUIET_MS;
      else await this.driver.wait(20);
    }
    return taken;
  }

  [Symbol.dispose](): void {
    this.driver[Symbol.dispose]();
  }
}

/** A packet that came out. */
export interface TakenPacket {
  readonly bytes: Uint8Array;
  readonly offload: number;
}

/** Joins interfaces of a namespace. */
export async function bridge(
  space: Namespace,
  ...names: readonly string[]
): Promise<void> {
  // Where the kernel has br_netfilter, that would drop what is no good IP.
  const filters = ["iptables", "ip6tables"].map((one) =>
    `net.bridge.bridge-nf-call-${one}=0`
  );
  await space.run("sysctl", "-qew", ...filters);
  await space.run(..."ip link add br0 type bridge mcast_snooping 0".split(" "));
  for (const name of names) {
    await space.run(..."ip link set dev".split(" "), name, "master", "br0");
  }
  await space.run(..."ip link set br0 up".split(" "));
}
