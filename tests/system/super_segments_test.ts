/**
 * What a confined core wishes of what it sends: right segments on the wire,
 * judged byte by byte and by tshark, or nothing and a reason. They are made here
 * for AF_XDP, and by the kernel behind a TAP, whose MTU may be more than a page.
 */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import fc from "fast-check";
import { ETH_P_ALL } from "../../drivers/sys/abi.ts";
import { closeDescriptor } from "../../drivers/sys/libc.ts";
import { checksumField } from "../arbitraries/super_packets.ts";
import { bridge } from "../drivers/tap/bridge.ts";
import { inNamespace } from "../drivers/tap/rig.ts";
import { openPacketSocket, receiveAll, send } from "../drivers/xdp/rig.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
} from "../netns.ts";
import { testProperty } from "../property.ts";
import { linesAbout } from "../services/wire/capture_file.ts";
import { ADDRESS, answers, ping } from "./far_kernel.ts";
import {
  isFromSender,
  markIn,
  markOf,
  orderOf,
  startOrdered,
} from "./ordered_system.ts";
import {
  FIELDS,
  type Finished,
  NO_ROOM,
  type Outcome,
  outcomeOf,
  packetOf,
  type Wish,
  wish,
} from "./super_wishes.ts";
import { snapshotIn, type UpProcess } from "./up_process.ts";

const TAP = "sp0";

/** How long a frame may take. */
const PATIENCE_MS = 10_000;

/** What tshark says of frames, all checksums verified. */
function judged(frames: readonly Uint8Array[]): string[][] {
  const checks = ["ip", "tcp", "udp"].flatMap((protocol) => [
    "-o",
    `${protocol}.check_checksum:TRUE`,
  ]);
  const fields = FIELDS.flatMap((field) => ["-e", field]);
  const lines = linesAbout(frames, (path) => [
    ...["tshark", "-n", "-r", path, ...checks],
    ...["-T", "fields", "-E", "separator=|", ...fields],
  ]);
  return lines.map((line) => line.split("|"));
}

/** Takes what comes to a packet socket from the service, up to the mark. */
async function takeUntil(socket: number, mark: number): Promise<Uint8Array[]> {
  const taken: Uint8Array[] = [];
  const untilMs = performance.now() + PATIENCE_MS;
  while (performance.now() < untilMs) {
    for (const frame of receiveAll(socket)) {
      if (!isFromSender(frame)) continue;
      if (markIn(frame) === mark) return taken;
      taken.push(frame);
    }
    await delay(1);
  }
  assert.fail(`${taken.length} frames came, and not the mark behind them`);
}

/** Checks the frames that came of a wish. Returns those that tshark is to judge. */
function check(
  came: readonly Uint8Array[],
  outcome: Exclude<Outcome, string>,
): Finished[] {
  assert.equal(came.length, outcome.length);
  return came.flatMap((bytes, i) => {
    const { packet, facts } = outcome[i]!;
    const expected = packet.frame.slice();
    if (facts !== undefined) {
      const field = checksumField(packet);
      expected.set(bytes.subarray(field, field + 2), field);
    }
    assert.deepEqual(bytes, expected);
    return facts === undefined ? [] : [{ bytes, facts }];
  });
}

/** Has the core send all of `wishes`, one after the other. Returns what was dropped, by reason. */
async function sendAll(
  socket: number,
  wishes: readonly Wish[],
  mtu: number,
): Promise<Record<string, number>> {
  const finished: Finished[] = [];
  const drops: Record<string, number> = {};
  for (const [mark, wish] of wishes.entries()) {
    const { frame, payload } = packetOf(wish);
    send(socket, orderOf(wish.word, frame.length, frame.subarray(0, payload)));
    send(socket, markOf(mark));
    const came = await takeUntil(socket, mark);
    const outcome = outcomeOf(wish, mtu);
    if (typeof outcome !== "string") finished.push(...check(came, outcome));
    else {
      drops[outcome] = (drops[outcome] ?? 0) + 1;
      assert.deepEqual(came, []);
    }
  }
  if (finished.length > 0) {
    assert.deepEqual(
      judged(finished.map(({ bytes }) => bytes)),
      finished.map(({ facts }) => facts),
    );
  }
  return drops;
}

/** Ends a system, in which nothing was refused and nothing dropped but that. */
async function endOf(
  process: UpProcess,
  drops: Readonly<Record<string, number>>,
): Promise<void> {
  const result = await process.interrupt();
  assert.deepEqual([result.code, result.err], [0, ""]);
  const { services, pages, nic } = snapshotIn(result);
  assert.equal(pages.free, pages.total);
  assert.equal(nic.counters["tx-refused"] ?? 0, 0);
  const { [NO_ROOM]: noRoom = 0, ...refused } = drops;
  for (const service of services) {
    const { name, state, capabilities, counters, refusals } = service;
    assert.deepEqual([state, refusals], ["running", {}], name);
    const [none, some] = name === "sender" ? [noRoom, refused] : [0, {}];
    assert.equal(counters[NO_ROOM] ?? 0, none, name);
    for (const one of capabilities) assert.deepEqual(one.drops, some, name);
  }
}

/** As many as one system is to send. To make them fewer takes another system each time. */
const wishes = fc.noShrink(
  fc.array(wish, { minLength: 20, maxLength: 60, size: "max" }),
);

/** A TAP with a bridge to the veth; the kernel takes super-packets apart in between. */
async function bridgeTap(space: Namespace, mtu: number): Promise<void> {
  await space.run(...`ip tuntap add ${TAP} mode tap vnet_hdr`.split(" "));
  await space.run(...`ip link set ${TAP} mtu ${mtu} up`.split(" "));
  await bridge(space, TAP, INTERFACE);
}

for (
  const [nic, mtu] of [
    [`xdp:${INTERFACE}`, 576],
    [`xdp:${INTERFACE}`, 1280],
    [`xdp:${INTERFACE}`, 1500],
    [`xdp:${INTERFACE}`, 3500],
    [`packet:${INTERFACE}`, 1500],
    [`tap:${TAP}`, 576],
    [`tap:${TAP}`, 9000],
  ] as const
) {
  testProperty(
    `whatever a confined core wishes of what it sends on ${nic}, at an MTU of ${mtu} right segments leave, or nothing does for a reason, and its neighbours are served`,
    {
      runs: 1,
      file: import.meta.url,
      needs: [...NETNS_NEEDS, "tool:ping", "tool:tshark"],
    },
    fc.asyncProperty(
      wishes,
      async (wishes) => {
        await using pair = await makeNamespacePair({ mtu });
        const { left, right } = pair;
        if (nic.startsWith("tap")) await bridgeTap(right, mtu);
        using owned = new DisposableStack();
        const socket = owned.adopt(
          inNamespace(left.name, () => openPacketSocket(INTERFACE, ETH_P_ALL)),
          closeDescriptor,
        );
        await using process = startOrdered(right, nic);
        await answers(left);
        const [drops, pings] = await Promise.all([
          sendAll(socket, wishes, mtu),
          ping(left, ADDRESS, 50),
        ]);
        assert.match(pings, /50 packets transmitted, 50 received/);
        await endOf(process, drops);
      },
    ),
  );
}
