/** Holders that are called in the driver's thread, case by case. */

import assert from "node:assert/strict";
import { EXTENT_PAGES } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { STRIKES_MAX } from "../../../drivers/service/holder.ts";
import { NEVER } from "../../../services/runtime/clock.ts";
import type { Core, Frame, Outbox } from "../../../services/core/core.ts";
import { witness } from "../../arbitraries/witness.ts";
import { run, WITNESS } from "./cores.ts";
import { discard, echo } from "./plans.ts";
import { type HolderPlan, Rig } from "./rig.ts";

/** A core that is made of functions, and sends by `out` what a test says. */
class ScriptedCore implements Core {
  wakeAt = NEVER;
  /** What each packet was, and each call besides. */
  readonly seen: string[] = [];
  onPacket: (frame: Frame, out: Outbox) => "reply" | "handled" = () =>
    "handled";
  atEnd: (out: Outbox) => void = () => {};
  withRoom: (out: Outbox) => void = () => {};
  onNews: NonNullable<Core["onNews"]> = () => {};

  receive(frame: Frame, _now: number, out: Outbox) {
    this.seen.push("packet");
    return this.onPacket(frame, out);
  }

  endOfBatch(_now: number, out: Outbox): void {
    this.seen.push("end of batch");
    this.atEnd(out);
  }

  onRoom(_now: number, out: Outbox): void {
    this.seen.push("room");
    this.withRoom(out);
  }

  wake(): void {}

  counters() {
    return {};
  }
}

const called: HolderPlan = { ...echo, called: true };

/** `count` packets for the first holder arrive at once. */
function arrive(rig: Rig, count: number): void {
  const frame = witness(echo.receives[0]!);
  for (let i = 0; i < count; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
}

/** Sends `count` frames that may be sent; returns how many were opened. */
function sendOwn(out: Outbox, count: number): number {
  for (let i = 0; i < count; i++) {
    const frame = out.open(WITNESS.length);
    if (frame === undefined) return i;
    frame.bytes.set(WITNESS, frame.start);
    frame.length = WITNESS.length;
    out.send();
  }
  return count;
}

Deno.test("a core in the driver's thread hears of a batch's end once, behind its packets", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  run(rig, core);
  arrive(rig, 3);
  assert.deepEqual(core.seen, ["packet", "packet", "packet", "end of batch"]);
});

Deno.test("packets of a holder in the driver's thread are dropped and counted while no core is there", () => {
  using rig = new Rig([called, discard]);
  arrive(rig, 2);
  const core = new ScriptedCore();
  const { failures } = run(rig, core);
  core.onPacket = () => {
    throw new Error("boom");
  };
  arrive(rig, 3);
  assert.deepEqual(failures, ["Error: boom"]);
  assert.deepEqual(core.seen, ["packet"]);
  const [account] = rig.service.counts().accounts;
  assert.deepEqual(account!.drops, { "no-core": 4 });
  assert.equal(account!.deliveredPackets, 1);
  assert.equal(account!.heldPages, 0);
});

Deno.test("what a core in the driver's thread sends within a packet leaves, and more than its quota is refused until there is room", () => {
  using rig = new Rig([{ ...called, quotaPages: 4 }, discard]);
  rig.driver.stalled = true;
  const core = new ScriptedCore();
  let opened = 0;
  core.onPacket = (_frame, out) => {
    opened = sendOwn(out, 9);
    return "handled";
  };
  core.withRoom = (out) => void (opened = sendOwn(out, 2));
  run(rig, core);
  arrive(rig, 1);
  // The packet was one of the four pages, and is back at the end of its batch.
  assert.deepEqual(core.seen, ["packet", "end of batch", "room"]);
  assert.equal(opened, 1);
  assert.equal(rig.sent().length, 4);
  rig.turn();
  assert.equal(core.seen.length, 3, "there is no room");
  arrive(rig, 1);
  assert.equal(core.seen.length, 3, "nor for a packet");
  assert.deepEqual(rig.service.counts().accounts[0]!.drops, { "no-page": 1 });
  rig.driver.stalled = false;
  rig.turn();
  assert.deepEqual(core.seen, ["packet", "end of batch", "room", "room"]);
  assert.equal(opened, 2);
  rig.turn();
  assert.equal(core.seen.length, 4, "room is told of once");
});

Deno.test("a core in the driver's thread that opens a super-packet pays for an extent", () => {
  const plan = { ...called, quotaPages: EXTENT_PAGES };
  const likeness = { extents: 16, superPackets: true };
  using rig = new Rig([plan, discard], 64, 1, likeness);
  const core = new ScriptedCore();
  const opened: boolean[] = [];
  core.onPacket = (_frame, out) => {
    // The packet lies in an extent itself: there is no page left.
    opened.push(out.open(4000) !== undefined);
    return "handled";
  };
  core.atEnd = (out) => void opened.push(out.open(4000) !== undefined);
  run(rig, core);
  arrive(rig, 1);
  assert.deepEqual(opened, [false, true]);
  const { pages } = rig.service.counts();
  assert.equal(pages.free, pages.total);
});

Deno.test("a frame that a core in the driver's thread opens is of zeros, whatever was there before", () => {
  using rig = new Rig([called, discard]);
  rig.memory.bytes.fill(0xa5, rig.memory.bytes.length / 2);
  const core = new ScriptedCore();
  let zeros = false;
  core.onPacket = (_frame, out) => {
    const { bytes, start } = out.open(3000)!;
    zeros = bytes.subarray(start, start + 3000).every((byte) => byte === 0);
    return "handled";
  };
  run(rig, core);
  arrive(rig, 1);
  assert.ok(zeros);
});

Deno.test("what a core in the driver's thread may not send, or says wrongly, is counted, and in the end costs it its place", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  run(rig, core);
  core.onPacket = (frame) => {
    frame.bytes.fill(0xff, frame.start, frame.start + 12);
    frame.bytes.set([0x12, 0x35], frame.start + 12);
    return "reply";
  };
  arrive(rig, 1);
  const [account] = rig.service.counts().accounts;
  assert.deepEqual(account!.drops, { "send-not-permitted": 1 });
  core.onPacket = (frame) => {
    frame.length = 5000;
    return "reply";
  };
  for (let i = 0; i < STRIKES_MAX; i++) {
    assert.deepEqual(rig.cutOff, []);
    arrive(rig, 1);
  }
  assert.deepEqual(rig.cutOff, [1]);
  assert.deepEqual(rig.sent(), []);
});

Deno.test("what a core in the driver's thread opens and does not send is there for others again", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  let opened = 0;
  core.onPacket = (_frame, out) => {
    // More often than there are frames.
    for (let i = 0; i < 100; i++) if (out.open(60) !== undefined) opened++;
    return "handled";
  };
  run(rig, core);
  for (let i = 0; i < 3; i++) arrive(rig, 1);
  assert.equal(opened, 300);
  assert.equal(rig.service.counts().accounts[0]!.deliveredPackets, 3);
});

Deno.test("a core in the driver's thread that points its frame elsewhere is shown the next packet all the same", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  const seen: string[] = [];
  core.onPacket = (frame) => {
    const { bytes, start, length } = frame;
    seen.push(bytes.slice(start, start + length).toHex());
    frame.bytes = new Uint8Array(9);
    frame.start = frame.length = frame.capacity = 0;
    return "handled";
  };
  run(rig, core);
  arrive(rig, 2);
  assert.deepEqual(seen, [seen[0], seen[0]]);
  assert.equal(seen[0], witness(echo.receives[0]!).toHex());
});

Deno.test("what a core in the driver's thread sends outside of a turn is held to the rate limit of that time", () => {
  const limit = { packetsPerSecond: 10 };
  using rig = new Rig([{ ...called, quotaPages: 32, limit }, discard]);
  const core = new ScriptedCore();
  const { runner } = run(rig, core);
  core.onNews = (_peer, _now, out) => void sendOwn(out, 9);
  const sentAfter = (ms: number) => {
    rig.nowMs += ms;
    runner.tell({ name: "other", state: "running" });
    const { length } = rig.sent();
    rig.turn();
    return length;
  };
  // A tenth of a second's packets at once, and the one at hand.
  assert.equal(sentAfter(0), 2);
  assert.equal(sentAfter(100), 1);
  assert.equal(sentAfter(0), 0);
  const { drops } = rig.service.counts().accounts[0]!;
  assert.deepEqual(drops, { "send-rate-limit": 24 });
});

Deno.test("a checksum that a core in the driver's thread leaves open is completed", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  core.onPacket = (frame) => {
    frame.bytes.set(WITNESS, frame.start);
    frame.length = WITNESS.length;
    frame.offload = offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
    return "reply";
  };
  run(rig, core);
  arrive(rig, 1);
  const [account] = rig.service.counts().accounts;
  const { "send-not-completable": refused = 0 } = account!.drops;
  assert.equal(rig.sent().length + refused, 1);
});

Deno.test("a core in the driver's thread whose capability was revoked gets and sends nothing, and asks in vain", () => {
  using rig = new Rig([called, discard]);
  const core = new ScriptedCore();
  const { runner } = run(rig, core);
  let opened = true;
  const hears = (out: Outbox) => void (opened = out.open(60) !== undefined);
  core.atEnd = hears;
  arrive(rig, 1);
  assert.ok(opened);
  rig.revoke(1);
  arrive(rig, 1);
  assert.deepEqual(core.seen, ["packet", "end of batch"]);
  core.withRoom = hears;
  const { end } = rig.holders[0]!;
  assert.equal(end!.open(60), undefined);
  runner[Symbol.dispose]();
  assert.deepEqual(rig.service.counts().refusals[0]!.refusals, {});
});
