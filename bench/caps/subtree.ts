/**
 * A filter service and a driver service in one thread: what it takes to revoke
 * a subtree, from the request until the driver posts nothing more to it.
 */

import { makePacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { makePipe } from "../../caps/port/port.ts";
import type { Delivery } from "../../caps/port/records.ts";
import { RIGHT_RECEIVE, RIGHTS_ALL } from "../../caps/kernel/rights.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { openEmulated } from "../../drivers/emulated/driver.ts";
import { makeWire } from "../../drivers/emulated/wire.ts";
import { DriverService } from "../../drivers/service/service.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../services/filter/service/messages.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import { flow } from "./authority.ts";

/** Requests that a holder may have waiting. */
const TOGETHER = 64;
const SYSTEM = 0;

/** One capability, and all that is derived from it again and again. */
export class Subtree implements Disposable {
  readonly #driver: DriverService;
  readonly #filter: FilterService;
  readonly #client: FilterClient;
  readonly #root: Capability;
  #parent: Capability | undefined;

  constructor() {
    const memory = makePacketMemory(64);
    const [orders, toDriver] = makePipe<DriverReport, DriverOrder>();
    const [asks, requests] = makePipe<FilterRequest, FilterReply>();
    const [, data] = makePipe<unknown, Delivery>();
    const onCutOff = () => {
      throw new Error("caps: the holder was cut off");
    };
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    const [end] = makeWire();
    this.#driver = new DriverService({
      driver: openEmulated({ memory, end, mac }),
      memory,
      orders,
      onCutOff,
    });
    const kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => crypto.getRandomValues(out)),
      { capabilitiesMax: 16384, capabilitiesKept: 0, depthMax: 16 },
    );
    this.#root = kernel.makeRoot(SYSTEM, 0);
    this.#filter = new FilterService({
      kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: toDriver,
      clock: makeRealClock(),
      onCutOff,
    });
    this.#driver.attach(SYSTEM, data);
    this.#filter.attach(SYSTEM, requests);
    this.#client = new FilterClient(asks);
  }

  /** Derives `count` flows from one capability and revokes them; milliseconds until that is in force. */
  async measure(count: number): Promise<number> {
    this.#parent ??= await this.#until(this.#client.derive({
      from: this.#root,
      grant: ipv4().grant,
      rights: RIGHTS_ALL,
      quotaPages: 0,
    }));
    const from = this.#parent;
    const derive = (index: number) =>
      this.#client.derive({
        from,
        grant: flow(index),
        rights: RIGHT_RECEIVE,
        quotaPages: 0,
      });
    for (let made = 0; made < count; made += TOGETHER) {
      const some = Array.from(
        { length: Math.min(TOGETHER, count - made) },
        (_, i) => derive(made + i),
      );
      await this.#until(Promise.all(some));
    }
    const startMs = performance.now();
    await this.#until(this.#client.end("revoke", from));
    const elapsedMs = performance.now() - startMs;
    if (this.#filter.describe().length !== 1) {
      throw new Error("caps: something outlived its revocation");
    }
    return elapsedMs;
  }

  /** Has the driver take its turns until `asked` is answered. */
  async #until<T>(asked: Promise<T>): Promise<T> {
    let answered = false;
    const done = () => void (answered = true);
    asked.then(done, done);
    while (!answered) {
      this.#driver.turn();
      await Promise.resolve();
    }
    return await asked;
  }

  [Symbol.dispose](): void {
    this.#filter[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }
}
