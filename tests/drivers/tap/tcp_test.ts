/** One kernel's TCP stream to another through two TAPs, whose packets change hands here. */

import { deepEqual, ok } from "node:assert/strict";
import {
  batchAt,
  EXTENT_PAGES,
  makePacketMemory,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { GSO_TCP4, gsoOf, segmentBytesOf } from "../../../caps/port/offload.ts";
import { openTap } from "../../../drivers/tap/open.ts";
import { testWith } from "../../needs.ts";
import { makeNamespacePair, type Namespace, NETNS_NEEDS } from "../../netns.ts";
import { inNamespace } from "./rig.ts";

const NAME = "sp0";
const EXTENTS = 64;
const FRAMES = 16;
const STREAM_BYTES = 32 << 20;
const PEER = new URL("./tcp_peer.ts", import.meta.url).pathname;

/** What went one way. */
interface Passed {
  packets: number;
  bytes: number;
  /** Packets that stand for several of the wire's. */
  superPackets: number;
  largest: number;
}

/** Passes packets on, in the extents that they came in, until it is ended. */
class Forwarder implements AsyncDisposable {
  readonly #memory: PacketMemory = makePacketMemory(FRAMES, EXTENTS);
  readonly #drivers: readonly [Driver, Driver];
  readonly #loops: Promise<Passed>[];
  #ended = false;

  constructor(spaces: readonly [Namespace, Namespace]) {
    const memory = this.#memory;
    const open = (space: Namespace) =>
      inNamespace(
        space.name,
        () => openTap({ kind: "tap", interfaceName: NAME, memory }),
      );
    this.#drivers = [open(spaces[0]), open(spaces[1])];
    const [a, b] = this.#drivers;
    this.#loops = [this.#pass(a, b, 0), this.#pass(b, a, 1)];
  }

  async #pass(from: Driver, to: Driver, way: 0 | 1): Promise<Passed> {
    const half = EXTENTS / 2;
    const frames = Uint32Array.from(
      { length: half },
      (_, i) => FRAMES + EXTENT_PAGES * (way * half + i),
    );
    from.provide(frames, half);
    const at = way === 0 ? RECEIVE_BATCH_OFFSET : SEND_BATCH_OFFSET;
    const batch = batchAt(this.#memory, at);
    const passed = { packets: 0, bytes: 0, superPackets: 0, largest: 0 };
    while (!this.#ended) {
      const count = from.receive(batch, half);
      if (count === 0) {
        await from.wait(100);
        continue;
      }
      for (let i = 0; i < count; i++) {
        const length = batch.length[i]!;
        passed.packets++;
        passed.bytes += length;
        passed.largest = Math.max(passed.largest, length);
        const offload = batch.offload[i]!;
        if (gsoOf(offload) !== GSO_TCP4) continue;
        ok(length > segmentBytesOf(offload));
        passed.superPackets++;
      }
      ok(to.transmit(batch, count) === count, "the kernel had no room");
      from.provide(frames, to.reclaim(frames));
    }
    return passed;
  }

  /** Ends it. What went either way. */
  async end(): Promise<Passed[]> {
    this.#ended = true;
    for (const driver of this.#drivers) driver.wake();
    return await Promise.all(this.#loops);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const driver of this.#drivers) driver[Symbol.dispose]();
  }
}

function startPeer(space: Namespace, ...args: string[]): Deno.ChildProcess {
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net", PEER];
  return space.spawn([...command, ...args], {
    stdout: "piped",
    stderr: "piped",
  });
}

testWith(
  [...NETNS_NEEDS, "tool:nstat"],
  "a TCP stream crosses in super-packets of tens of kilobytes, to the last byte, and no checksum is found wrong",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    await using forwarder = new Forwarder([left, right]);
    for (const [space, host] of [[left, 1], [right, 2]] as const) {
      const address = `10.78.0.${host}/24`;
      await space.run("ip", "address", "add", address, "dev", NAME);
    }
    const receiver = startPeer(right, "receive", "10.78.0.2", "9000");
    const said = receiver.stderr.getReader();
    await said.read(); // It listens.
    said.releaseLock();
    const stream = ["10.78.0.2", "9000", String(STREAM_BYTES)];
    const sender = startPeer(left, "send", ...stream);
    const [sent, received] = await Promise.all([
      sender.output(),
      receiver.output(),
    ]);
    const read = ({ stdout }: Deno.CommandOutput) =>
      JSON.parse(new TextDecoder().decode(stdout)) as { bytes: number };
    deepEqual(read(received), read(sent));
    deepEqual(read(sent).bytes, STREAM_BYTES);

    const [there] = await forwarder.end();
    ok(there!.largest > 60_000, `the largest had ${there!.largest} bytes`);
    ok(there!.superPackets > there!.packets / 2);
    const errors = await right.run("nstat", "-asz", "TcpInCsumErrors");
    ok(/TcpInCsumErrors\s+0\s/.test(errors), errors);
  },
);
