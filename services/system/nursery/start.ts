/** The nursery: starts workers, runs nothing of theirs, and speaks with the system alone. */

import { fromMessagePort, takeAll } from "../../../caps/port/port.ts";
import { releaseLeftResources } from "../../../drivers/sys/release_resources.ts";
import { startWorker } from "../../runtime/start_worker.ts";
import type { NurseryOrder, NurseryReport, NurseryStart } from "./messages.ts";

/** Runs a nursery with the port in `start`. */
export function startNursery(start: NurseryStart): void {
  const control = fromMessagePort<NurseryReport, NurseryOrder>(start.control);
  /** What terminates each worker, by its number. */
  const workers = new Map<number, () => void>();
  const begin = (order: Extract<NurseryOrder, { kind: "start" }>) => {
    const { worker } = order;
    const end = startWorker(order, (message) => {
      workers.delete(worker);
      control.post({ kind: "crashed", worker, message });
    });
    workers.set(worker, end);
  };
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "start") begin(order);
      else if (order.kind === "end") {
        workers.get(order.worker)?.();
        workers.delete(order.worker);
      } else if (order.kind === "release") {
        releaseLeftResources(order.resources);
        control.post({ kind: "released", id: order.id });
      } else {
        for (const end of workers.values()) end();
        control[Symbol.dispose]();
      }
    }
  };
}
