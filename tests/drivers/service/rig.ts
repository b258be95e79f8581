/** A driver service on an emulated NIC with holders that the test plays. */

import { given } from "../../../caps/kernel/given.ts";
import {
  makePacketMemory,
  type PacketMemory,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";
import assert from "node:assert/strict";
import type {
  AccountCounts,
  AccountSpec,
  DriverOrder,
  DriverReport,
} from "../../../caps/driver/messages.ts";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import type { RateLimit } from "../../../caps/kernel/rate_limit.ts";
import type { DirectEnd } from "../../../caps/port/direct_end.ts";
import { makePipe, type Port } from "../../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  INLINE,
  RecordView,
} from "../../../caps/port/records.ts";
import {
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../../caps/kernel/rights.ts";
import {
  makeTrustedRings,
  type TrustedAccess,
} from "../../../caps/port/trusted_ring.ts";
import { capabilityOf } from "../../../caps/kernel/capability.ts";
import {
  ETHERNET_FRAME_BYTES_MAX,
  makeWire,
  type WireEnd,
} from "../../../drivers/emulated/wire.ts";
import { DriverService } from "../../../drivers/service/service.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { mergeTree } from "../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../services/filter/wasm/emit.ts";
import { type Likeness, StallingDriver } from "../../model/stalling_driver.ts";

/** The longest super-packet: an IP packet behind an Ethernet header and a tag. */
export const SUPER_BYTES_MAX: number = 65535 + 14 + 4;

/** A wire that carries them. */
const SUPER_WIRE = { frameBytesMax: SUPER_BYTES_MAX, queueFrames: 64 };

/** One holder: a port, a capability, and what it was lent. */
export interface TestHolder {
  readonly id: number;
  readonly capability: bigint;
  readonly port: Port<unknown, Delivery>;
  readonly receives: Grant;
  readonly sends: Grant;
  /** Of one that is trusted with packet memory. */
  readonly shared?: TrustedAccess;
  /** Of one whose code is called in the driver's thread: it has no port. */
  readonly end?: DirectEnd;
}

/** What a holder of the rig gets. */
export interface HolderPlan {
  readonly receives: Grant;
  readonly sends: Grant;
  readonly quotaPages: number;
  readonly copyBytesMax: number;
  /** The holder, by its id, on whose port this is one more capability. */
  readonly on?: number;
  /** Gets descriptors. */
  readonly trusted?: boolean;
  /** Is called in the driver's thread. */
  readonly called?: boolean;
  /** The most messages that it may have under way. */
  readonly inFlightMax?: number;
  /** Gets copies of what it `receives`, and owns and sends nothing. */
  readonly observes?: boolean;
  readonly limit?: RateLimit;
  /** The holder, by its id, whose capability it was derived from, and that has a limit. */
  readonly limitedBy?: number;
}

/** A driver service under test. */
export class Rig implements Disposable {
  readonly service: DriverService;
  readonly driver: StallingDriver;
  readonly far: WireEnd;
  /** The time, as the service reads it. */
  nowMs = 0;
  readonly holders: TestHolder[] = [];
  readonly cutOff: number[] = [];
  readonly reports: DriverReport[] = [];
  readonly #orders: Port<DriverOrder, DriverReport>;
  readonly memory: PacketMemory;
  readonly #memoryPages: number;
  readonly #planned: readonly HolderPlan[];
  #plans: (HolderPlan | undefined)[] = [];

  constructor(
    plans: readonly HolderPlan[],
    frameCount = 64,
    runPagesMax = 1,
    likeness: Likeness = {},
  ) {
    this.#planned = plans;
    const memory = makePacketMemory(frameCount, likeness.extents);
    this.memory = memory;
    this.#memoryPages = wasmPagesOf(memory);
    const { superPackets = false, frameBytesMax } = likeness;
    const wireBytesMax = superPackets
      ? ETHERNET_FRAME_BYTES_MAX
      : likeness.wireBytesMax;
    const wire = frameBytesMax === undefined ? {} : { frameBytesMax };
    const long = superPackets || frameBytesMax === SUPER_BYTES_MAX;
    const [near, far] = makeWire(long ? SUPER_WIRE : wire);
    this.far = far;
    const [orders, forDriver] = makePipe<DriverOrder, DriverReport>();
    this.#orders = orders;
    this.driver = new StallingDriver({
      memory,
      end: near,
      mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
      ...(wireBytesMax === undefined ? {} : { wireBytesMax }),
    }, likeness);
    this.service = new DriverService({
      driver: this.driver,
      memory,
      orders: forDriver,
      onCutOff: (port) => this.cutOff.push(port),
      nowMs: () => this.nowMs,
    });
    plans.forEach((plan, i) => this.#attach(plan, i + 1, runPagesMax));
    this.#plans = [...plans];
    this.commit(plans.map((plan, i) => this.#specOf(plan, i + 1)));
  }

  #attach(plan: HolderPlan, id: number, runPagesMax: number): void {
    const { tagLow: low, tagHigh: high } = this.#specOf(plan, id);
    const { receives, sends } = plan;
    const capability = capabilityOf({ low, high });
    if (plan.on !== undefined) {
      const { port } = this.holders[plan.on - 1]!;
      this.holders.push({ id, capability, port, receives, sends });
      return;
    }
    const [port, forDriver] = makePipe<unknown, Delivery>();
    if (plan.called) {
      const end = this.service.attachDirect(id);
      this.holders.push({ id, capability, port, receives, sends, end });
      return;
    }
    const { wasm, frameCount, extentCount } = this.memory;
    const rings = plan.trusted ? makeTrustedRings() : undefined;
    const { inFlightMax = IN_FLIGHT_MAX } = plan;
    const limits = { runPagesMax, inFlightMax };
    this.service.attach(id, forDriver, limits, rings);
    this.holders.push({
      id,
      capability,
      port,
      receives,
      sends,
      ...(rings === undefined
        ? {}
        : { shared: { memory: wasm, frameCount, extentCount, rings } }),
    });
  }

  #specOf(plan: HolderPlan, id: number): AccountSpec {
    return {
      slot: id,
      tagLow: 1000 + id,
      tagHigh: 77,
      port: plan.on ?? id,
      rights: plan.observes ? RIGHT_OBSERVE : RIGHT_RECEIVE | RIGHT_SEND,
      quotaPages: plan.quotaPages,
      copyBytesMax: plan.copyBytesMax,
      ...given({ limit: plan.limit, limitedBy: plan.limitedBy }),
    };
  }

  /** Installs a classifier for the holders that still live, and for those of `again`. */
  commit(
    opened: readonly AccountSpec[] = [],
    again: readonly number[] = [],
    kernel?: KernelProgram,
  ): void {
    for (const id of again) this.#plans[id - 1] = this.#planned[id - 1];
    const live = this.#plans.flatMap((plan, i) =>
      plan === undefined ? [] : [{ ...plan, slot: i + 1 }]
    );
    const tree = mergeTree(
      live.filter(({ observes }) => !observes).map(({ slot, receives }) => ({
        slot,
        grant: receives,
        children: [],
      })),
    );
    const sends = live.map(({ slot, sends, receives, observes }) => ({
      slot,
      grant: observes ? receives : sends,
    }));
    const wasm = emitWasm(tree, sends, this.#memoryPages);
    this.#orders.post({
      kind: "commit",
      version: 1,
      opened,
      quotas: [],
      wasm,
      ...given({ kernel }),
    });
    this.turn();
  }

  /** Gives the service an order, which the next turn takes. */
  order(order: DriverOrder): void {
    this.#orders.post(order);
  }

  /** Revokes a holder's capability, whose packets become those of `heir`; the classifier stays as it is. */
  revoke(id: number, heir = 0): void {
    this.#plans[id - 1] = undefined;
    this.#orders.post({ kind: "revoke", id, ended: Uint32Array.of(id, heir) });
    this.turn();
    assert.ok(
      this.reports.some((report) =>
        report.kind === "revoked" && report.id === id
      ),
    );
  }

  /** Asks the driver what a capability counted. */
  account(slot: number): AccountCounts | undefined {
    this.#orders.post({ kind: "account", id: slot, slot });
    this.turn();
    const answer = this.reports.findLast((report) => report.kind === "account");
    assert.ok(answer?.kind === "account" && answer.id === slot);
    return answer.counts;
  }

  /** Turns until nothing is left to do, and proves that pages are conserved. */
  turn(): void {
    for (let i = 0; i < 1000; i++) {
      const done = this.service.turn();
      this.service.check();
      for (
        let r = this.#orders.take();
        r !== undefined;
        r = this.#orders.take()
      ) this.reports.push(r);
      if (done === 0) return;
    }
    assert.fail("the driver service never comes to rest");
  }

  /** What the far side has received. */
  sent(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let length = this.far.peek(); length > 0; length = this.far.peek()) {
      const frame = new Uint8Array(length);
      this.far.receive(frame, 0);
      frames.push(frame);
    }
    return frames;
  }

  [Symbol.dispose](): void {
    this.service[Symbol.dispose]();
  }
}

/** One packet of a delivery. */
export interface TestPacket {
  readonly bytes: Uint8Array;
  readonly inline: boolean;
  readonly frame: number;
  /** The whole page that it came in; empty when it came inline. */
  readonly page: Uint8Array;
  readonly start: number;
}

/** The packets of a delivery. */
export function packetsOf(delivery: Delivery): TestPacket[] {
  const view = new RecordView(delivery.records);
  const packets: TestPacket[] = [];
  let at = 0;
  for (let i = 0; i < delivery.count; i++) {
    const inline = view.page(at) === INLINE;
    const page = inline
      ? new Uint8Array(0)
      : new Uint8Array(delivery.pages[view.page(at)]!);
    const start = view.start(at);
    const from = inline ? view.bytes.subarray(at) : page;
    packets.push({
      bytes: from.slice(start, start + view.length(at)),
      inline,
      frame: view.frame(at),
      page,
      start,
    });
    at += view.stride(at);
  }
  return packets;
}
