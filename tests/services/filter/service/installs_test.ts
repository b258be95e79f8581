/** A filter service and a driver service together: packets keep coming while flows come and go. */

import {
  makePacketMemory,
  wasmPagesOf,
} from "../../../../caps/memory/memory.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  DriverOrder,
  DriverReport,
} from "../../../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../../../caps/port/port.ts";
import type { Delivery } from "../../../../caps/port/records.ts";
import { RIGHT_RECEIVE, RIGHTS_ALL } from "../../../../caps/kernel/rights.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import { openEmulated } from "../../../../drivers/emulated/driver.ts";
import { makeWire } from "../../../../drivers/emulated/wire.ts";
import { DriverService } from "../../../../drivers/service/service.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { FilterClient } from "../../../../services/filter/service/client.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../../../services/filter/service/messages.ts";
import { FilterService } from "../../../../services/filter/service/service.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { packetsOf } from "../../../drivers/service/rig.ts";
import { testProperty } from "../../../property.ts";
import { VirtualClock } from "../../runtime/virtual_clock.ts";

const SYSTEM = 0;
/** Holds what flows are derived from, and gets what they leave. */
const PARENT = 1;
/** Each holds every second flow. */
const HOLDERS = [2, 3] as const;
const FLOWS = 24;
const ADDRESS = "10.77.0.9";

type Step =
  | { readonly op: "install" | "remove" | "packet"; readonly flow: number }
  | { readonly op: "shape"; readonly type: number }
  | { readonly op: "turn" }
  | { readonly op: "settle" };

/** Whose a flow's packets may be now. */
type State = "absent" | "coming" | "there" | "going";

class Rig implements Disposable {
  readonly #driver: DriverService;
  readonly #filter: FilterService;
  readonly #clients: FilterClient[] = [];
  readonly #ports: Port<unknown, Delivery>[] = [];
  readonly #wire = makeWire();
  readonly #root: Capability;
  #envelope: Capability | undefined;
  readonly #states: State[] = new Array(FLOWS).fill("absent");
  readonly #tags: Capability[] = [];
  #pending: Promise<unknown>[] = [];
  readonly #orders: string[] = [];
  #sent = 0;
  #received = 0;

  constructor() {
    const memory = makePacketMemory(64);
    const [near] = this.#wire;
    const [forDriver, between] = makePipe<DriverReport, DriverOrder>();
    const kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => out.fill(5)),
      { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 4 },
    );
    this.#root = kernel.makeRoot(SYSTEM, 64);
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    const refuse = () => assert.fail("a holder was cut off");
    this.#driver = new DriverService({
      driver: openEmulated({ memory, end: near, mac }),
      memory,
      orders: forDriver,
      onCutOff: refuse,
    });
    this.#filter = new FilterService({
      kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: this.#watched(between),
      clock: new VirtualClock(),
      onCutOff: refuse,
    });
    for (const id of [SYSTEM, PARENT, ...HOLDERS]) {
      const [port, data] = makePipe<unknown, Delivery>();
      this.#driver.attach(id, data);
      this.#ports.push(port);
      const [asks, requests] = makePipe<FilterRequest, FilterReply>();
      this.#filter.attach(id, requests);
      this.#clients.push(new FilterClient(asks));
    }
  }

  /** Writes down the kinds of orders that pass a port. */
  #watched(
    port: Port<DriverOrder, DriverReport>,
  ): Port<DriverOrder, DriverReport> {
    const post = port.post.bind(port);
    return Object.assign(port, {
      post: (order: DriverOrder) => {
        this.#orders.push(order.kind);
        return post(order);
      },
    });
  }

  /** The kinds of orders that the driver was given. */
  get orders(): readonly string[] {
    return this.#orders;
  }

  async start(): Promise<void> {
    const asked = this.#clients[SYSTEM]!.derive({
      from: this.#root,
      grant: ipv4().dst(ADDRESS).grant,
      rights: RIGHTS_ALL,
      quotaPages: 40,
      copyBytesMax: 4096,
      to: PARENT,
    });
    this.#pending.push(asked);
    await this.settle();
    this.#envelope = await asked;
  }

  install(flow: number): void {
    if (this.#states[flow] !== "absent") return;
    this.#states[flow] = "coming";
    this.#pending.push(
      this.#clients[PARENT]!.derive({
        from: this.#envelope!,
        grant: grantOf(flow),
        rights: RIGHT_RECEIVE,
        quotaPages: 1,
        copyBytesMax: 4096,
        to: holderOf(flow),
      }).then((tag) => {
        this.#tags[flow] = tag;
        this.#states[flow] = "there";
      }),
    );
  }

  remove(flow: number): void {
    if (this.#states[flow] !== "there") return;
    this.#states[flow] = "going";
    this.#pending.push(
      this.#clients[holderOf(flow)]!.end("drop", this.#tags[flow]!).then(() => {
        this.#states[flow] = "absent";
      }),
    );
  }

  /** Installs what is of another shape, and takes it away. */
  shape(type: number): void {
    const client = this.#clients[SYSTEM]!;
    const grant: Grant = [{ payload: { kind: "type", etherType: type } }];
    this.#pending.push(
      client.derive({
        from: this.#root,
        grant,
        rights: RIGHT_RECEIVE,
        quotaPages: 0,
      }).then((tag) => client.end("drop", tag), () => {}),
    );
  }

  packet(flow: number): void {
    const bytes = Uint8Array.of(...witness(grantOf(flow)[0]!), flow);
    const [, far] = this.#wire;
    assert.ok(far.send(bytes, 0, bytes.length));
    this.#sent++;
    // No more than the holders surely have byte strings for.
    if (this.#sent - this.#received >= 2) this.turn();
  }

  /** One turn of the driver; whatever it delivers is whose it may be now. */
  turn(): void {
    this.#driver.turn();
    this.#driver.check();
    for (const [index, port] of this.#ports.entries()) {
      for (
        let delivery = port.take();
        delivery !== undefined;
        delivery = port.take()
      ) {
        for (const { bytes } of packetsOf(delivery)) {
          this.#received++;
          this.#mayBe(index, bytes.at(-1)!);
        }
        const { records, capabilities } = delivery;
        port.post({ capabilities, records, count: 0, pages: [] }, [records]);
      }
    }
  }

  #mayBe(holder: number, flow: number): void {
    const state = this.#states[flow]!;
    const allowed = state === "absent"
      ? [PARENT]
      : state === "there"
      ? [holderOf(flow)]
      : [PARENT, holderOf(flow)];
    assert.ok(
      allowed.includes(holder),
      `holder ${holder} got a packet of flow ${flow}, which is ${state}`,
    );
  }

  /** Until all that was asked is answered, and all that was sent has come. */
  async settle(): Promise<void> {
    let left = this.#pending.length;
    for (const one of this.#pending) {
      const done = () => void left--;
      one.then(done, done);
    }
    this.#pending = [];
    for (let round = 0; left > 0 || round < 3; round++) {
      assert.ok(round < 10000, "the services never come to rest");
      this.turn();
      await new Promise<void>((resolve) => queueMicrotask(resolve));
    }
    assert.equal(this.#received, this.#sent, "a packet was lost");
  }

  [Symbol.dispose](): void {
    this.#filter[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }
}

function holderOf(flow: number): number {
  return HOLDERS[flow % 2]!;
}

function grantOf(flow: number): Grant {
  return flow % 3 === 0
    ? ipv4().tcp().dst(ADDRESS).srcPort(7).dstPort(1 + flow).grant
    : ipv4().udp().dst(ADDRESS).dstPort(1 + flow).grant;
}

const flow = fc.nat(FLOWS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ op: fc.constant("install" as const), flow }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ op: fc.constant("remove" as const), flow }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant("packet" as const), flow }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant("shape" as const),
        type: fc.integer({ min: 0x9000, max: 0x9003 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constantFrom(
          "turn" as const,
          "turn" as const,
          "settle" as const,
        ),
      }),
    },
  ),
  { minLength: 20, maxLength: 150 },
);

testProperty(
  "no packet is lost or goes to another than its owner, or its owner's parent meanwhile, while flows come and go",
  { runs: 60, file: import.meta.url },
  fc.asyncProperty(steps, async (steps) => {
    using rig = new Rig();
    await rig.start();
    // Enough of both shapes for tables.
    for (let flow = 0; flow < 20; flow++) rig.install(flow);
    await rig.settle();
    for (const step of steps) {
      if (step.op === "shape") rig.shape(step.type);
      else if (step.op === "turn") {
        rig.turn();
        await new Promise<void>((resolve) => queueMicrotask(resolve));
      } else if (step.op === "settle") await rig.settle();
      else if (step.op === "install") rig.install(step.flow);
      else if (step.op === "remove") rig.remove(step.flow);
      else rig.packet(step.flow);
    }
    for (let flow = 0; flow < FLOWS; flow++) rig.packet(flow);
    await rig.settle();
  }),
);

Deno.test("a flow of a shape that there is comes and goes without compiling", async () => {
  using rig = new Rig();
  await rig.start();
  for (let flow = 0; flow < 20; flow++) rig.install(flow);
  await rig.settle();
  const before = rig.orders.length;
  for (let flow = 20; flow < FLOWS; flow++) {
    rig.install(flow);
    await rig.settle();
    rig.packet(flow);
    rig.remove(flow - 1);
    await rig.settle();
    rig.packet(flow - 1);
    await rig.settle();
  }
  const since = new Set(rig.orders.slice(before));
  assert.deepEqual(since, new Set(["patch", "quota", "revoke"]));
  rig.shape(0x9000);
  await rig.settle();
  assert.ok(rig.orders.slice(before).includes("commit"));
});
