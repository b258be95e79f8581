/** The data channels of a host's services: a pipe each, or streams where the service is in a process. */

import type { PortId } from "../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import type { ServicePlace } from "../../services/manifest/place.ts";
import { StreamPair } from "./stream_pair.ts";

/** Makes them, and ends those that a process had. */
export class DataChannels {
  readonly #streams = new Map<PortId, StreamPair>();

  /** The ends of the channel of `port`: the service's, then the driver's. */
  make(
    port: PortId,
    place: ServicePlace,
  ): readonly [Port<Submission, Delivery>, Port<Delivery | null, unknown>] {
    if (place !== "process") return makePipe<Submission, Delivery>();
    const pair = new StreamPair();
    this.#streams.set(port, pair);
    return [pair.holder as Port<Submission, Delivery>, pair.driver];
  }

  /** The service at `port` has ended: what a process had comes back. */
  end(port: PortId): void {
    this.#streams.get(port)?.end();
    this.#streams.delete(port);
  }
}
