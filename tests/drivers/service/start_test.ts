/** A driver service as the system starts it: orders and reports over ports. */

import { setImmediate } from "node:timers/promises";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { given } from "../../../caps/kernel/given.ts";
import {
  type DriverOrder,
  type DriverReport,
  PLAIN_LIMITS,
  type SystemOrder,
  type SystemReport,
} from "../../../caps/driver/messages.ts";
import {
  makePacketMemory,
  type PacketMemory,
} from "../../../caps/memory/memory.ts";
import { fromMessagePort, type Port } from "../../../caps/port/port.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import {
  enterDescriptor,
  makeResourceList,
  takeResources,
} from "../../../drivers/sys/resource_list.ts";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import {
  type OpenDriver,
  startDriver,
} from "../../../drivers/service/start.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 9);

/** A driver service that was started in this thread, as its system sees it. */
class Started implements AsyncDisposable {
  readonly #control: Port<SystemOrder, SystemReport>;
  readonly #orders: Port<DriverOrder, DriverReport>;
  readonly #over: Promise<void>;
  readonly reports: SystemReport[] = [];

  constructor(
    memory: PacketMemory,
    open: OpenDriver<string>,
    more: { readonly resources?: SharedArrayBuffer } = {},
  ) {
    const control = new MessageChannel();
    const orders = new MessageChannel();
    this.#control = fromMessagePort(control.port1);
    this.#orders = fromMessagePort(orders.port1);
    const start = {
      options: "what it is opened with",
      memory: memory.wasm,
      frameCount: memory.frameCount,
      extentCount: memory.extentCount,
      orders: orders.port2,
      control: control.port2,
      ...more,
    };
    this.#over = startDriver(start, open, true);
  }

  order(order: SystemOrder): void {
    const transfer = order.kind === "attach" ? [order.data] : [];
    this.#control.post(order, transfer);
  }

  /** Waits for the next report of that kind. */
  async report<K extends SystemReport["kind"]>(
    kind: K,
  ): Promise<Extract<SystemReport, { kind: K }>> {
    for (;;) {
      const report = this.#control.take();
      if (report === undefined) {
        await setImmediate();
        continue;
      }
      this.reports.push(report);
      if (report.kind === kind) {
        return report as Extract<SystemReport, { kind: K }>;
      }
    }
  }

  async counts() {
    this.order({ kind: "count", id: 7 });
    const { id, counts } = await this.report("counts");
    equal(id, 7);
    return counts;
  }

  /** Stops it; what it counted, in its last message. */
  async stop() {
    this.order({ kind: "stop" });
    await this.#over;
    return (await this.report("stopped")).counts;
  }

  async [Symbol.asyncDispose]() {
    this.order({ kind: "stop" });
    await this.#over;
    this.#control[Symbol.dispose]();
    this.#orders[Symbol.dispose]();
  }
}

/** One on an emulated wire, and the wire's other end. */
function startOnWire(
  likeness: { readonly warning?: string; readonly write?: string } = {},
): Started & { readonly far: WireEnd } {
  const memory = makePacketMemory(16, 2);
  const [near, far] = makeWire();
  const started = new Started(memory, (options, opened) => {
    equal(options, "what it is opened with");
    equal(opened.frameCount, memory.frameCount);
    equal(opened.extentCount, 2);
    const driver = openEmulated({ memory: opened, mac: MAC, end: near });
    return Object.assign(driver, given({ warning: likeness.warning }));
  });
  return Object.assign(started, { far });
}

function send(far: WireEnd): void {
  far.send(new Uint8Array(60), 0, 60);
}

Deno.test("a driver that is open says what its interface takes, and receives once it is told to", async () => {
  await using started = startOnWire();
  const { mtu, offloads } = await started.report("open");
  deepEqual({ mtu, offloads }, { mtu: 1500, offloads: 0 });
  send(started.far);
  equal((await started.counts()).receivedPackets, 0);
  started.order({ kind: "receive" });
  while ((await started.counts()).receivedPackets === 0);
  const { receivedPackets, unclaimedPackets } = await started.stop();
  deepEqual([receivedPackets, unclaimedPackets], [1, 1]);
});

Deno.test("holders are attached and detached by order", async () => {
  await using started = startOnWire();
  const portsOf = async () =>
    (await started.counts()).refusals.map(({ port }) => port);
  const channels = [1, 2].map(() => new MessageChannel());
  for (const [i, { port2: data }] of channels.entries()) {
    started.order({ kind: "attach", port: i + 1, data, ...PLAIN_LIMITS });
  }
  deepEqual(await portsOf(), [1, 2]);
  started.order({ kind: "detach", port: 1 });
  // What the holder gave back before may arrive after the order.
  deepEqual(await portsOf(), [1, 2]);
  while ((await portsOf()).length === 2);
  deepEqual(await portsOf(), [2]);
  for (const { port1 } of channels) port1.close();
});

Deno.test("a holder that has more under way than it may is cut off, and that is told", async () => {
  await using started = startOnWire();
  const { port1, port2: data } = new MessageChannel();
  const limits = { ...PLAIN_LIMITS, inFlightMax: 3 };
  started.order({ kind: "attach", port: 5, data, ...limits });
  await started.counts();
  for (let i = 0; i < 4; i++) port1.postMessage("nothing that makes sense");
  const { port, refusals } = await started.report("cut-off");
  equal(port, 5);
  ok(refusals["flood"]! > 0);
  port1.close();
});

Deno.test("the end of a NIC is told, with what was wrong with it", async () => {
  for (const warning of [undefined, "cut short"]) {
    await using started = startOnWire(given({ warning }));
    await started.report("open");
    started.far[Symbol.dispose]();
    deepEqual(await started.report("ended"), {
      kind: "ended",
      ...given({ warning: warning && `emulated: ${warning}` }),
    });
  }
});

Deno.test("what a NIC has to say is told, in order", async () => {
  const memory = makePacketMemory(16);
  const [near] = makeWire();
  await using started = new Started(memory, (_options, memory) => {
    const driver: Driver = openEmulated({ memory, mac: MAC, end: near });
    const notices = ["first", "second"];
    return Object.assign(driver, { takeNotices: () => notices.splice(0) });
  });
  equal((await started.report("notice")).text, "first");
  equal((await started.report("notice")).text, "second");
  await started.stop();
});

Deno.test("a NIC that cannot be opened has failed, and says why", async () => {
  for (const thrown of [new Error("no such interface"), "no such interface"]) {
    await using started = new Started(makePacketMemory(16), () => {
      throw thrown;
    });
    const { message } = await started.report("failed");
    equal(message, "no such interface");
    deepEqual(started.reports.map(({ kind }) => kind), ["failed"]);
  }
});

Deno.test("a NIC that takes its time is told when nobody waits any more", async () => {
  await using started = new Started(
    makePacketMemory(16),
    (_options, _memory, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new Error("given up")))
      ),
  );
  started.order({ kind: "stop" });
  match((await started.report("failed")).message, /given up/);
});

Deno.test("a driver that fails while it runs is closed, and says why and nothing else", async () => {
  const memory = makePacketMemory(16);
  const [near, far] = makeWire();
  await using started = new Started(memory, (_options, memory) => {
    const driver = openEmulated({ memory, mac: MAC, end: near });
    return Object.assign(driver, {
      reclaim: () => {
        throw new Error("the ring is broken");
      },
    });
  });
  const { message } = await started.report("failed");
  equal(message, "the ring is broken");
  equal(far.ended, true, "its end of the wire is closed");
  deepEqual(started.reports.map(({ kind }) => kind), ["open", "failed"]);
});

Deno.test("what a driver has of the kernel is listed where that is asked for, and only there", async () => {
  const resources = makeResourceList();
  const listed = { kind: "descriptor", descriptor: 1000 };
  // First without: a thread lists until its end.
  for (
    const [asked, expected] of [[{}, []], [{ resources }, [listed]]] as const
  ) {
    const memory = makePacketMemory(16);
    const [near] = makeWire();
    const thrown: unknown[] = [];
    await using started = new Started(memory, (_options, memory) => {
      try {
        enterDescriptor(1000);
      } catch (error) {
        thrown.push(error);
      }
      return openEmulated({ memory, mac: MAC, end: near });
    }, asked);
    await started.report("open");
    deepEqual(thrown, []);
    deepEqual(takeResources(resources), expected);
  }
});
