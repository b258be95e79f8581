/** The nursery: starts workers and processes, runs nothing of theirs, and speaks with the system alone. */

import { fromMessagePort, takeAll } from "../../../caps/port/port.ts";
import { releaseLeftResources } from "../../../drivers/sys/release_resources.ts";
import { startProcess } from "../../runtime/process/start_process.ts";
import { startWorker } from "../../runtime/start_worker.ts";
import type { NurseryOrder, NurseryReport, NurseryStart } from "./messages.ts";

/** Runs a nursery with the port in `start`. */
export function startNursery(start: NurseryStart): void {
  const control = fromMessagePort<NurseryReport, NurseryOrder>(start.control);
  /** What terminates each worker, and kills each process, by its number. */
  const ends = new Map<number, () => void>();
  const endAll = () => {
    for (const end of ends.values()) end();
    ends.clear();
  };
  const begin = (order: Extract<NurseryOrder, { kind: "start" }>) => {
    const { worker } = order;
    const end = startWorker(order, (message) => {
      ends.delete(worker);
      control.post({ kind: "crashed", worker, message });
    });
    ends.set(worker, end);
  };
  const beginProcess = (
    { worker, process }: Extract<NurseryOrder, { kind: "start-process" }>,
  ) => {
    const end = startProcess(process, {
      onCrash: (message) => {
        ends.delete(worker);
        control.post({ kind: "crashed", worker, message });
      },
      onPrinted: (line) => control.post({ kind: "printed", worker, line }),
    });
    ends.set(worker, end);
  };
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "start") begin(order);
      else if (order.kind === "start-process") beginProcess(order);
      else if (order.kind === "end") {
        ends.get(order.worker)?.();
        ends.delete(order.worker);
      } else if (order.kind === "end-all") {
        endAll();
        control.post({ kind: "all-ended", id: order.id });
      } else if (order.kind === "release") {
        releaseLeftResources(order.resources);
        control.post({ kind: "released", id: order.id });
      } else {
        endAll();
        control[Symbol.dispose]();
      }
    }
  };
}
