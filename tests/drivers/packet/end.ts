/** One end of a veth that carries super-packets whole, behind a packet socket's driver. */

import { equal } from "node:assert/strict";
import {
  type Batch,
  frameAt,
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  privateBatch,
} from "../../../caps/memory/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openPacket } from "../../../drivers/packet/open.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { SocketCover } from "../../../services/filter/classic/cover.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type NamespacePair,
} from "../../netns.ts";
import { inNamespace } from "../tap/rig.ts";

const FRAMES = 512;
const OFFLOADS = "tx on sg on tso on gso on tx-udp-segmentation on".split(" ");

/** A packet socket's driver in a namespace. */
export class End implements Disposable {
  readonly memory: PacketMemory = makePacketMemory(FRAMES, 1);
  readonly driver: Driver;
  readonly #batch: Batch = privateBatch();

  constructor(space: string, grant: Grant) {
    const { memory } = this;
    const interfaceName = INTERFACE;
    this.driver = inNamespace(
      space,
      () => openPacket({ interfaceName, memory, blocks: 8 }),
    );
    const cover = new SocketCover([{ slot: 1, grant, children: [] }]);
    this.driver.admit?.(cover.emit());
    this.driver.provide(
      Uint32Array.from({ length: FRAMES }, (_, n) => n),
      FRAMES,
    );
  }

  /** Sends one packet, from its only extent. */
  send(frame: Uint8Array, offload: number): void {
    const at = frameOffset(FRAMES) + 256;
    this.memory.bytes.set(frame, at);
    const batch = this.#batch;
    batch.offset[0] = at;
    batch.length[0] = frame.length;
    batch.offload[0] = offload;
    equal(this.driver.transmit(batch, 1), 1);
    equal(this.driver.reclaim(new Uint32Array(1)), 1);
    equal(this.driver.counters()["tx-refused"], 0);
  }

  /** Takes so many frames; fewer when no more come within a second. */
  async take(count: number): Promise<{ bytes: Uint8Array; offload: number }[]> {
    const { driver, memory } = this;
    const batch = this.#batch;
    const taken: { bytes: Uint8Array; offload: number }[] = [];
    const untilMs = performance.now() + 1000;
    while (taken.length < count && performance.now() < untilMs) {
      await driver.wait(10);
      const got = driver.receive(batch, 64);
      const frames = new Uint32Array(got);
      for (let n = 0; n < got; n++) {
        const at = batch.offset[n]!;
        const bytes = memory.bytes.slice(at, at + batch.length[n]!);
        taken.push({ bytes, offload: batch.offload[n]! });
        frames[n] = frameAt(at);
      }
      driver.provide(frames, got);
    }
    return taken;
  }

  [Symbol.dispose](): void {
    this.driver[Symbol.dispose]();
  }
}

/** Two namespaces whose left one leaves checksums and segmentation to its veth, which does neither. */
export async function makeOffloadingPair(): Promise<NamespacePair> {
  const made = await makeNamespacePair();
  await made.left.run("ethtool", "-K", INTERFACE, ...OFFLOADS);
  return made;
}
