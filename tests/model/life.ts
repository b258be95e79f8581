/** A driver service and a filter service with an emulated NIC, in this thread. */

import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import { type PacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import {
  GSO_UDP,
  OFFLOAD_CHECKSUM,
  offloadsGso,
  offloadWord,
} from "../../caps/port/offload.ts";
import { makePipe } from "../../caps/port/port.ts";
import { makeWire, type WireEnd } from "../../drivers/emulated/wire.ts";
import { PAUSE_MS_MAX } from "../../drivers/service/penalty.ts";
import { DriverService } from "../../drivers/service/service.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import type { VirtualClock } from "../services/runtime/virtual_clock.ts";
import type { Scale } from "./nics.ts";
import { type Likeness, StallingDriver } from "./stalling_driver.ts";
import { arrivalOf } from "./universe.ts";

/** A NIC with super-packets both ways. */
const OFFLOADING: Likeness = {
  offloads: OFFLOAD_CHECKSUM | offloadsGso(GSO_UDP),
  wordOf: (bytes) => {
    const { checksum = 0, gso = 0, segmentBytes = 0 } = arrivalOf(bytes) ?? {};
    return offloadWord(checksum, gso, segmentBytes);
  },
};

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
    const { frameBytesMax, wireBytesMax, quotaPages } = scale;
    // As many segments as there are pages to send them from.
    const queueFrames = quotaPages > 16 ? 256 : 16;
    const [near, far] = makeWire({ frameBytesMax, queueFrames });
    this.far = far;
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    const options = { memory, end: near, mac };
    this.nic = scale.offloads
      ? new StallingDriver({ ...options, wireBytesMax }, OFFLOADING)
      : new StallingDriver(options);
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
