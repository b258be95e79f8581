/** On a real NIC holders get, send, keep and lose what they do on the emulated one. */

import {
  makePacketMemory,
  type PacketMemory,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";
import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import type {
  AccountSpec,
  DriverOrder,
  DriverReport,
} from "../../../caps/driver/messages.ts";
import { makePipe } from "../../../caps/port/port.ts";
import type { Delivery } from "../../../caps/port/records.ts";
import { RIGHT_RECEIVE, RIGHT_SEND } from "../../../caps/kernel/rights.ts";
import { capabilityOf } from "../../../caps/kernel/capability.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { EmulatedDriver } from "../../../drivers/emulated/driver.ts";
import { makeWire } from "../../../drivers/emulated/wire.ts";
import { openPacket } from "../../../drivers/packet/open.ts";
import { DriverService } from "../../../drivers/service/service.ts";
import { ETH_P_ALL } from "../../../drivers/sys/abi.ts";
import { openXdp } from "../../../drivers/xdp/open.ts";
import { mergeTree } from "../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../services/filter/wasm/emit.ts";
import type { DriverRig } from "../../conformance/driver.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { testProperty } from "../../property.ts";
import { collectFrom } from "../emulated/rig.ts";
import { tapRig } from "../tap/rig.ts";
import { etherTypeProgram, RING_ENTRIES, vethRig } from "../xdp/rig.ts";
import { act, behaviours } from "./behaviours.ts";
import { frames, plans } from "./plans.ts";
import { packetsOf, type TestHolder } from "./rig.ts";

const FRAMES = 192;
const ARRIVAL_MS_MAX = 2000;

/** Fields that say a frame's number, or a place in a page, which are each driver's own affair. */
const PECULIAR = [
  "claim another frame",
  "lie about lengths",
  "point elsewhere",
];

/** Memory outlives pages that holders keep. */
const memories: PacketMemory[] = [];

/** A driver service with three holders, on one NIC or another. */
class Side {
  readonly service: DriverService;
  readonly holders: TestHolder[] = [];
  readonly #rig: DriverRig;
  readonly #kept = new Map<number, Delivery[]>();
  #injected = 0;

  constructor(rig: DriverRig) {
    this.#rig = rig;
    memories.push(rig.memory);
    const [orders, forDriver] = makePipe<DriverOrder, DriverReport>();
    this.service = new DriverService({
      driver: rig.driver,
      memory: rig.memory,
      orders: forDriver,
      onCutOff: () => {},
      nowMs: () => 0,
    });
    const opened = plans.map((plan, i): AccountSpec => ({
      slot: i + 1,
      tagLow: 1001 + i,
      tagHigh: 77,
      port: i + 1,
      rights: RIGHT_RECEIVE | RIGHT_SEND,
      quotaPages: plan.quotaPages,
      copyBytesMax: plan.copyBytesMax,
    }));
    for (const { slot: id, tagLow: low, tagHigh: high } of opened) {
      const [port, data] = makePipe<unknown, Delivery>();
      this.service.attach(id, data, { runPagesMax: 1 });
      const { receives, sends } = plans[id - 1]!;
      const capability = capabilityOf({ low, high });
      this.holders.push({ id, capability, port, receives, sends });
    }
    const nodes = plans.map(({ receives }, i) => ({
      slot: i + 1,
      grant: receives,
      children: [],
    }));
    const sends = plans.map(({ sends }, i) => ({ slot: i + 1, grant: sends }));
    const pages = wasmPagesOf(rig.memory);
    const wasm = emitWasm(mergeTree(nodes), sends, pages);
    orders.post({ kind: "commit", version: 1, opened, quotas: [], wasm });
    this.#turn();
  }

  #turn(): void {
    for (let i = 0; i < 1000 && this.service.turn() > 0; i++);
    this.service.check();
  }

  /** A frame arrives. */
  async inject(frame: Uint8Array): Promise<void> {
    await this.#rig.inject([frame]);
    this.#injected++;
    const untilMs = performance.now() + ARRIVAL_MS_MAX;
    while (this.service.counts().receivedPackets < this.#injected) {
      ok(performance.now() < untilMs, "a frame did not arrive");
      await this.#rig.driver.wait(1);
      this.#turn();
    }
  }

  /** A holder does something with what it has had longest. */
  act(holder: number, step: Parameters<typeof act>[3]): void {
    const one = this.holders[holder]!;
    act(this, one, this.#kept.get(one.id)?.shift(), step);
    this.#turn();
  }

  /** What there is to see of it since the last time. */
  async seen(): Promise<unknown> {
    this.#turn();
    const got = this.holders.map(({ id, port }) => {
      const deliveries: Delivery[] = [];
      for (let d = port.take(); d !== undefined; d = port.take()) {
        if (d.count > 0) deliveries.push(d);
      }
      this.#kept.set(id, [...(this.#kept.get(id) ?? []), ...deliveries]);
      return deliveries.flatMap(packetsOf)
        .map(({ bytes, inline }) => ({ bytes, inline }));
    });
    const { accounts, refusals, pages, unclaimedPackets, sentPackets } = this
      .service.counts();
    const sent = await this.#rig.collect();
    const { lent, quarantined } = pages;
    return {
      got,
      sent: sent.map((frame) => new Uint8Array(frame)),
      accounts,
      refusals,
      unclaimedPackets,
      sentPackets,
      lent,
      quarantined,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.service[Symbol.dispose]();
    await this.#rig[Symbol.asyncDispose]();
  }
}

function emulatedRig(): DriverRig {
  const memory = makePacketMemory(FRAMES);
  const [end, far] = makeWire();
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  const driver = new EmulatedDriver({ memory, end, mac });
  return {
    driver,
    memory,
    inject: (arrivals) => {
      for (const frame of arrivals) far.send(frame, 0, frame.length);
    },
    collect: () => collectFrom(far),
    [Symbol.asyncDispose]: () => Promise.resolve(driver[Symbol.dispose]()),
  };
}

const common = { interfaceName: INTERFACE, ringEntries: RING_ENTRIES };

const ON_VETH = {
  packet: (memory: PacketMemory): Driver => {
    const driver = openPacket({ ...common, memory, blocks: 4 });
    // `ret #65535`: everything is let through (linux/filter.h).
    driver.admit?.(
      { instructions: Uint8Array.of(6, 0, 0, 0, 255, 255, 0, 0) },
    );
    return driver;
  },
  xdp: (memory: PacketMemory): Driver => {
    const driver = openXdp({ ...common, memory });
    driver.classify?.(etherTypeProgram(ETH_P_ALL));
    return driver;
  },
};

/**
 * Whole enough for a wire: Linux sends no less than an Ethernet header, and drops
 * what has a tag and not two bytes behind it (skb_vlan_untag() of net/core/skbuff.c).
 */
const carried = frames.filter(({ length }) => length >= 20);

/** A rig in which all that is sent is seen. */
const RIGS: Readonly<Record<string, (pair: NamespacePair) => DriverRig>> = {
  packet: (pair) => vethRig(pair, ON_VETH.packet, ETH_P_ALL),
  xdp: (pair) => vethRig(pair, ON_VETH.xdp, ETH_P_ALL),
  tap: ({ right }) => tapRig(right.name, 1, ETH_P_ALL),
};

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ frame: carried }) },
    {
      weight: 2,
      arbitrary: fc.record({
        holder: fc.nat(2),
        does: behaviours.filter((does) => !PECULIAR.includes(does)),
        noise: fc.nat(),
        send: carried,
      }).map((step) =>
        // A copy that goes round is as good as any other of a page's size: what
        // is forged here has another.
        step.does === "forge a page"
          ? { ...step, noise: step.noise & ~1 }
          : step
      ),
    },
  ),
  { maxLength: 40 },
);

let pair: NamespacePair | undefined;

/** Two namespaces whose kernels say nothing of their own. */
async function quietPair(): Promise<NamespacePair> {
  const made = await makeNamespacePair();
  for (const space of [made.left, made.right]) {
    await space.run("ip", "address", "flush", "dev", INTERFACE);
  }
  return made;
}

/** Plays the steps on both, and compares after each. */
function sameOn(
  makeRig: (pair: NamespacePair) => DriverRig,
): fc.IRawProperty<unknown> {
  return fc.asyncProperty(steps, async (steps) => {
    await using emulated = new Side(emulatedRig());
    await using mapped = new Side(makeRig(pair ??= await quietPair()));
    for (const step of steps) {
      for (const side of [emulated, mapped]) {
        if ("frame" in step) await side.inject(step.frame);
        else side.act(step.holder, step);
      }
      deepStrictEqual(await mapped.seen(), await emulated.seen());
    }
  });
}

for (const [nic, makeRig] of Object.entries(RIGS)) {
  const name =
    `whatever arrives and whatever holders do, they get on ${nic} what they get on the emulated NIC, and the same goes out and is counted`;
  const options = { runs: 15, file: import.meta.url, needs: NETNS_NEEDS };
  testProperty(name, options, sameOn(makeRig));
}

Deno.test.afterAll(() => pair?.[Symbol.asyncDispose]());
