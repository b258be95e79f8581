/** A flow keeps its queue, and its order. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  BATCH_MAX,
  batchAt,
  frameOffset,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import type { TunKind } from "../../../drivers/sys/tun_device.ts";
import { loadSteering } from "../../../drivers/tap/steering.ts";
import {
  buildSuperPacket,
  type SuperPacket,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import type { DriverRig } from "../../conformance/driver_rig.ts";
import { testWith } from "../../needs.ts";
import { makeNamespacePair, NETNS_NEEDS } from "../../netns.ts";
import { testProperty } from "../../property.ts";
import { tapRig } from "./rig.ts";

const file = import.meta.url;

/** The hash that the program should return, read from a packet without tags. */
function flowHash(
  { frame, version, network, transport }: SuperPacket,
  hasPorts: boolean,
): number {
  const view = new DataView(frame.buffer);
  const words = version === 4
    ? [12, 16]
    : Array.from({ length: 8 }, (_, i) => 8 + 4 * i);
  let hash = hasPorts ? view.getUint32(transport) : 0;
  for (const at of words) hash ^= view.getUint32(network + at);
  return Math.imul(hash, 0x9e3779b1) >>> 16;
}

/** What the kernel takes off before a test run, which starts behind an Ethernet header. */
const TAKEN_OFF = Uint8Array.of(...new Uint8Array(12), 0x88, 0xb5);

/** `frame` so that a test run starts where the program does on an interface of `kind`. */
function dataFor(kind: TunKind, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(...kind === "tap" ? TAKEN_OFF : [], ...frame);
}

testProperty(
  "packets are steered by addresses and ports, fragments by addresses, in the kernel as written down",
  { runs: 300, file, needs: ["linux", "root"] },
  fc.property(
    fc.constantFrom("tap" as const, "tun" as const),
    superPacketParts(1000),
    fc.constantFrom(0, 0x2000, 0x2005, 0x0005),
    (kind, parts, fragment) => {
      using program = loadSteering(kind);
      ok(program);
      const packet = buildSuperPacket({ ...parts, tags: 0 });
      const { frame, version, network, transport } = packet;
      if (version === 4) {
        new DataView(frame.buffer).setUint16(network + 6, fragment);
      }
      const hasPorts = version === 4
        ? fragment === 0
        : transport === network + 40;
      const { result } = program.testRun({ data: dataFor(kind, frame) });
      equal(result, flowHash(packet, hasPorts));
    },
  ),
);

/** One packet of each version and kind of interface: its hash is not 0. */
const PLAIN = {
  protocol: 17,
  tags: 0,
  networkOptions: 0,
  transportOptions: 0,
  payloadBytes: 4,
  flags: 0,
  sequence: 0,
  identification: 0,
  seed: 7,
} as const;

for (const kind of ["tap", "tun"] as const) {
  for (const version of [4, 6] as const) {
    testWith(
      ["linux", "root"],
      `a ${kind}'s packets of IPv${version} are steered by their flow`,
      () => {
        using program = loadSteering(kind);
        ok(program);
        const packet = buildSuperPacket({ ...PLAIN, version });
        const { result } = program.testRun({
          data: dataFor(kind, packet.frame),
        });
        ok(result !== 0);
        equal(result, flowHash(packet, true));
      },
    );
  }
}

testWith(["linux", "root"], "what is cut off, or no IP, is one flow", () => {
  using program = loadSteering("tun");
  ok(program);
  const { frame } = buildSuperPacket({
    version: 4,
    protocol: 17,
    tags: 0,
    networkOptions: 0,
    transportOptions: 0,
    payloadBytes: 0,
    flags: 0,
    sequence: 0,
    identification: 0,
    seed: 7,
  });
  // The kernel tries no program on less than a header.
  for (let length = 14 + 20; length < 14 + 20 + 4; length++) {
    equal(program.testRun({ data: frame.slice(0, length) }).result, 0);
  }
  frame[14] = 0x50;
  equal(program.testRun({ data: frame }).result, 0);
});

/** Where the far side's frames say that they are IPv4, the kernel knows their flows. */
const IPV4 = 0x0800;

/** Frame `sequence` of a flow: its number is in the payload. */
function frameOf(flow: number, sequence: number): Uint8Array<ArrayBuffer> {
  const { frame, payload } = buildSuperPacket({
    ...PLAIN,
    version: 4,
    seed: flow,
  });
  new DataView(frame.buffer).setUint32(payload, sequence);
  return frame;
}

/** A frame of the same flow the other way: addresses and ports change places. */
function answerTo(frame: Uint8Array): Uint8Array {
  const answer = frame.slice();
  for (const [at, size] of [[0, 6], [26, 4], [34, 2]] as const) {
    answer.set(frame.subarray(at + size, at + 2 * size), at);
    answer.set(frame.subarray(at, at + size), at + size);
  }
  return answer;
}

testWith(
  NETNS_NEEDS,
  "what waits in a TAP's queues is not overtaken by what comes after an answer to it",
  async () => {
    await using pair = await makeNamespacePair();
    await using rig = tapRig(pair.right.name, 4, IPV4);
    const { driver } = rig;
    ok(!driver.info.mode.includes("not steered"), driver.info.mode);
    const { memory } = rig;
    driver.provide(Uint32Array.from({ length: 128 }, (_, frame) => frame), 128);
    const flows = Array.from({ length: 16 }, (_, flow) => flow);
    const rounds = [0, 1, 2].map((round) =>
      flows.map((flow) => frameOf(flow, round))
    );
    const leaving = batchAt(memory, SEND_BATCH_OFFSET);
    for (const frames of rounds) {
      await rig.inject(frames);
      for (const [i, frame] of frames.entries()) {
        leaving.offset[i] = frameOffset(128 + i);
        leaving.length[i] = frame.length;
        memory.bytes.set(answerTo(frame), frameOffset(128 + i));
      }
      equal(driver.transmit(leaving, frames.length), frames.length);
      equal(driver.reclaim(new Uint32Array(frames.length)), frames.length);
    }
    const received = takeAll(rig);
    for (const flow of flows) {
      const sent = rounds.map((frames) => frames[flow]!);
      const got = received.filter((frame) =>
        sent.some((one) => Buffer.compare(one, frame) === 0)
      );
      deepEqual(got, sent, `flow ${flow}`);
    }
  },
);

/** All that waits in the driver's queues. */
function takeAll({ driver, memory }: DriverRig): Uint8Array[] {
  const taken: Uint8Array[] = [];
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  for (let count; (count = driver.receive(batch, BATCH_MAX)) > 0;) {
    for (let i = 0; i < count; i++) {
      const at = batch.offset[i]!;
      taken.push(memory.bytes.slice(at, at + batch.length[i]!));
    }
  }
  return taken;
}
