/** A filter service with its holders, and a driver that the test plays. */

import assert from "node:assert/strict";
import { given } from "../../../../caps/kernel/given.ts";
import type {
  AccountCounts,
  DriverOrder,
  DriverReport,
  InstallOrder,
} from "../../../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../../../caps/port/port.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import {
  type Capability,
  capabilityOf,
} from "../../../../caps/kernel/capability.ts";
import {
  type Clock,
  makeRealClock,
} from "../../../../services/runtime/clock.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { FilterClient } from "../../../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../../../services/filter/service/messages.ts";
import { FilterService } from "../../../../services/filter/service/service.ts";
import { MEMORY_PAGES } from "../wasm/wasm_harness.ts";

/** A filter service and a driver, and holders 0 (which has the root) to 2. */
export class Rig implements Disposable {
  readonly service: FilterService;
  readonly clock: Clock;
  readonly root: Capability;
  readonly clients: FilterClient[] = [];
  readonly raw: Port<FilterRequest, FilterReply>[] = [];
  readonly orders: DriverOrder[] = [];
  readonly cutOff: number[] = [];
  /** What the driver says to a commit; undefined for yes. */
  refusal: string | undefined;
  /** What the driver says to changes of tables alone; undefined for yes. */
  patchRefusal: string | undefined;
  /** Whether it says so to a cover, too. */
  refusesCovers = true;
  /** The capabilities that are live in the driver, by slot. */
  readonly live = new Map<number, Capability>();
  /** Whether the driver leaves orders where they are. */
  #stalled = false;
  /** What the driver says of every account. */
  counted: { readonly counts?: AccountCounts } = {};
  readonly #driver: Port<DriverReport, DriverOrder>;

  /** `unclaimed`: what becomes of unclaimed packets, where the NIC classifies; `socket` where it is a packet socket. The clock is the real one by default. */
  constructor(
    unclaimed?: "kernel" | "drop" | "socket",
    clock: Clock = makeRealClock(),
  ) {
    this.clock = clock;
    const [driver, forFilter] = makePipe<DriverReport, DriverOrder>();
    this.#driver = driver;
    driver.onReady = () => this.#drive();
    const kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => crypto.getRandomValues(out)),
      { capabilitiesMax: 100, capabilitiesKept: 0, depthMax: 8 },
    );
    this.root = kernel.makeRoot(0, 100);
    this.service = new FilterService({
      kernel,
      target: {
        memoryPages: MEMORY_PAGES,
        ...(unclaimed === undefined
          ? {}
          : unclaimed === "socket"
          ? { socket: true }
          : { kernel: { unclaimed } }),
      },
      driver: forFilter,
      clock: this.clock,
      onCutOff: (port) => this.cutOff.push(port),
    });
    for (let id = 0; id < 3; id++) {
      const [port, forService] = makePipe<FilterRequest, FilterReply>({
        queueMax: 10000,
      });
      this.service.attach(id, forService);
      this.raw.push(port);
      this.clients.push(new FilterClient(port));
    }
  }

  /** Whether the driver has been told that nobody speaks to it any more. */
  get driverClosed(): boolean {
    return this.#driver.closed;
  }

  /** Has the driver say something that nobody asked for. */
  report(report: DriverReport): void {
    this.#driver.post(report);
  }

  /** Has the driver leave orders where they are, or take what has come. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#drive();
  }

  #drive(): void {
    if (this.#stalled) return;
    for (
      let order = this.#driver.take();
      order !== undefined;
      order = this.#driver.take()
    ) {
      this.orders.push(order);
      if ("version" in order) {
        const { version } = order;
        for (const { slot, tagLow, tagHigh } of order.opened) {
          const capability = capabilityOf({ low: tagLow, high: tagHigh });
          this.live.set(slot, capability);
        }
        const covers = order.kind === "commit" && order.cover !== undefined;
        const refusal = covers && !this.refusesCovers
          ? undefined
          : order.kind === "patch"
          ? order.kernel && (this.patchRefusal ?? this.refusal)
          : this.refusal;
        this.#driver.post({
          kind: "committed",
          version,
          ...given({ kernelRefusal: refusal }),
        });
      } else if (order.kind === "account") {
        this.#driver.post({ kind: "account", id: order.id, ...this.counted });
      } else if (order.kind === "revoke") {
        for (let i = 0; i < order.ended.length; i += 2) {
          this.live.delete(order.ended[i]!);
        }
        this.#driver.post({ kind: "revoked", id: order.id });
        this.#driver.post({
          kind: "drained",
          slots: order.ended.filter((_, i) => i % 2 === 0),
        });
      }
    }
  }

  [Symbol.dispose](): void {
    this.service[Symbol.dispose]();
  }
}

/** The order that came last. */
export function lastOf(rig: Rig): InstallOrder {
  const order = rig.orders.findLast((order) => "version" in order);
  assert.ok(order !== undefined);
  return order;
}
