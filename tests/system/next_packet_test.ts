/** A revocation is in force for the very next packet: in packet memory, and in the kernel's maps. */

import { makePacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import assert from "node:assert/strict";
import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import type { Delivery } from "../../caps/port/records.ts";
import { RIGHTS_ALL } from "../../caps/kernel/rights.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { openEmulated } from "../../drivers/emulated/driver.ts";
import { makeWire } from "../../drivers/emulated/wire.ts";
import { DriverService } from "../../drivers/service/service.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../services/filter/service/messages.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import { witness } from "../arbitraries/witness.ts";
import type { DriverRig } from "../conformance/driver_rig.ts";
import { xdpRig } from "../drivers/xdp/rig.ts";
import { packetsOf } from "../drivers/service/rig.ts";
import { testWith } from "../needs.ts";
import { makeNamespacePair, NETNS_NEEDS } from "../netns.ts";
import { VirtualClock } from "../services/runtime/virtual_clock.ts";

/** The system, the envelope's holder, and two that hold parts of it. */
const [SYSTEM, PARENT, CHILD, RECEIVER] = [0, 1, 2, 3] as const;
/** Enough of one shape for tables and maps, which are then patched. */
const FLOWS = 20;

const flow = (port: number) => ipv4().udp().dstPort(port).grant;
const all = { rights: RIGHTS_ALL, quotaPages: 0 };

class Holders implements Disposable {
  readonly clients: FilterClient[] = [];
  readonly clock = new VirtualClock();
  readonly root: Capability;
  readonly #rig: DriverRig;
  readonly #driver: DriverService;
  readonly #filter: FilterService;
  readonly #ports: Port<unknown, Delivery>[] = [];
  #packets = 0;

  constructor(rig: DriverRig) {
    this.#rig = rig;
    const { driver, memory } = rig;
    const [orders, toDriver] = makePipe<DriverReport, DriverOrder>();
    const onCutOff = () => assert.fail("a holder was cut off");
    this.#driver = new DriverService({ driver, memory, orders, onCutOff });
    const kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => crypto.getRandomValues(out)),
      { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 8 },
    );
    this.root = kernel.makeRoot(SYSTEM, 0);
    const memoryPages = wasmPagesOf(memory);
    this.#filter = new FilterService({
      kernel,
      target: driver.classify === undefined
        ? { memoryPages }
        : { memoryPages, kernel: { unclaimed: "kernel" } },
      driver: toDriver,
      clock: this.clock,
      onCutOff,
    });
    for (const id of [SYSTEM, PARENT, CHILD, RECEIVER]) {
      const [port, data] = makePipe<unknown, Delivery>();
      this.#driver.attach(id, data);
      this.#ports.push(port);
      const [asks, requests] = makePipe<FilterRequest, FilterReply>();
      this.#filter.attach(id, requests);
      this.clients.push(new FilterClient(asks));
    }
  }

  /** Why the NIC does not classify itself, where it could. */
  get kernelRefusal(): string | undefined {
    return this.#driver.counts().kernelRefusal;
  }

  /** Has the driver take its turns until `asked` is answered. */
  async until<T>(asked: Promise<T>): Promise<T> {
    let answered = false;
    const done = () => void (answered = true);
    asked.then(done, done);
    for (let turns = 0; !answered; turns++) {
      assert.ok(turns < 10000, "the services never come to rest");
      this.#driver.turn();
      await Promise.resolve();
    }
    return await asked;
  }

  /** Whose the next packet to a UDP port is. */
  async next(port: number): Promise<number> {
    const mark = ++this.#packets;
    await this.inject(port, mark);
    for (let tries = 0; tries < 1000; tries++) {
      this.#driver.turn();
      const owner = this.#take(mark);
      if (owner !== undefined) return owner;
      await this.#rig.driver.wait(1);
    }
    const counts = JSON.stringify(this.#driver.counts());
    assert.fail(`a packet to port ${port} is lost: ${counts}`);
  }

  /** Has the far side send a packet to a UDP port. */
  async inject(port: number, mark: number = ++this.#packets): Promise<void> {
    const frame = [...witness(flow(port)[0]!), mark];
    await this.#rig.inject([Uint8Array.from(frame)]);
  }

  /** Gives back what has come; who got the packet `mark`. */
  #take(mark: number): number | undefined {
    let owner: number | undefined;
    for (const [id, port] of this.#ports.entries()) {
      for (let one = port.take(); one !== undefined; one = port.take()) {
        for (const { bytes } of packetsOf(one)) {
          if (bytes.at(-1) === mark) owner = id;
        }
        const { capabilities, records } = one;
        port.post({ capabilities, records, count: 0, pages: [] }, [records]);
      }
    }
    return owner;
  }

  [Symbol.dispose](): void {
    this.#filter[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }
}

async function checkNextPackets(rig: DriverRig): Promise<void> {
  using holders = new Holders(rig);
  const [system, parent, child] = holders.clients;
  const envelope = await holders.until(system!.derive({
    ...all,
    from: holders.root,
    grant: ipv4().udp().grant,
    to: PARENT,
  }));
  const derive = (port: number, more: { readonly lifetimeMs?: number } = {}) =>
    holders.until(parent!.derive({
      ...{ ...all, ...more },
      from: envelope,
      grant: flow(port),
      to: CHILD,
    }));
  const tags: Capability[] = [];
  for (let port = 0; port < FLOWS; port++) tags.push(await derive(port));
  for (const [port, capability] of tags.entries()) {
    const given = { capability, to: RECEIVER };
    await holders.until(child!.delegate(given));
    assert.equal(await holders.next(port), RECEIVER);
    // Some lie in the rings by now, with a tag that will be void.
    await holders.inject(port);
    await holders.until(child!.end("revoke", capability));
    assert.equal(await holders.next(port), CHILD);
    // Nothing more is given on; what there is, lives on.
    await holders.until(child!.delegate(given));
    await holders.until(child!.end("close", capability));
    assert.equal(await holders.next(port), RECEIVER);
    await holders.inject(port);
    await holders.until(child!.end("drop", capability));
    assert.equal(await holders.next(port), PARENT);
    // Siblings never notice.
    if (port + 1 < FLOWS) assert.equal(await holders.next(port + 1), CHILD);
  }
  assert.equal(holders.kernelRefusal, undefined);
  await derive(7, { lifetimeMs: 5 });
  await derive(8);
  assert.equal(await holders.next(7), CHILD);
  holders.clock.advance(5);
  assert.equal(await holders.next(7), PARENT);
  await holders.until(parent!.end("revoke", envelope));
  assert.equal(await holders.next(8), PARENT);
}

Deno.test("the very next packet after a revocation is the capability's own, in packet memory", async () => {
  const memory = makePacketMemory(64);
  const [near, far] = makeWire();
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  await checkNextPackets({
    driver: openEmulated({ memory, end: near, mac }),
    memory,
    inject: (frames) => {
      for (const frame of frames) assert.ok(far.send(frame, 0, frame.length));
    },
    collect: () => [],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

testWith(
  NETNS_NEEDS,
  "the very next packet after a revocation is the capability's own, on a veth with the kernel's map",
  async () => {
    await using pair = await makeNamespacePair();
    await using rig = xdpRig(pair);
    await checkNextPackets(rig);
  },
);
