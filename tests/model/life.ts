/** A driver service and a filter service with an emulated NIC, in this thread. */

import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import { type PacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import { makePipe } from "../../caps/port/port.ts";
import { makeWire, type WireEnd } from "../../drivers/emulated/wire.ts";
import { PAUSE_MS_MAX } from "../../drivers/service/penalty.ts";
import { DriverService } from "../../drivers/service/service.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import type { VirtualClock } from "../services/runtime/virtual_clock.ts";
import type { Scale } from "./nics.ts";
import { StallingDriver } from "./stalling_driver.ts";

/** From the start of the two to their end. */
export class Life implements Disposable {
  readonly kernel: CapabilityKernel<Grant>;
  readonly filter: FilterService;
  readonly driver: DriverService;
  readonly nic: StallingDriver;
  readonly far: WireEnd;
  #turnMs = 0;

  constructor(memory: PacketMemory, scale: Scale, clock: VirtualClock) {
    const [orders, forDriver] = makePipe<DriverOrder, DriverReport>();
    const frameBytesMax = scale.wireBytesMax;
    const [near, far] = makeWire({ frameBytesMax, queueFrames: 16 });
    this.far = far;
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    this.nic = new StallingDriver({ memory, end: near, mac });
    this.driver = new DriverService({
      driver: this.nic,
      memory,
      orders: forDriver,
      onCutOff: failCutOff,
      // Whoever presented a void tag is served again by the next turn: the
      // reference knows what is done, and not how soon.
      nowMs: () => (this.#turnMs += PAUSE_MS_MAX),
    });
    this.kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => crypto.getRandomValues(out)),
      {
        capabilitiesMax: scale.capabilities,
        capabilitiesKept: scale.kept,
        depthMax: scale.depth,
      },
    );
    this.filter = new FilterService({
      kernel: this.kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: orders,
      clock,
      onCutOff: failCutOff,
    });
  }

  [Symbol.dispose](): void {
    this.filter[Symbol.dispose]();
    this.driver[Symbol.dispose]();
  }
}

function failCutOff(port: number): never {
  throw new Error(`holder ${port} was cut off`);
}
