/**
 * The nursery: starts workers once the system itself may not any more. It runs
 * nothing of theirs, and speaks with the system alone.
 */

import { onFirstMessage } from "../../../caps/port/first_message.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import { releaseLeftResources } from "../../../drivers/sys/release_resources.ts";
import { startWorker } from "../../runtime/start_worker.ts";
import type { NurseryOrder, NurseryReport, NurseryStart } from "./messages.ts";

onFirstMessage(({ control }: NurseryStart) =>
  tend(fromMessagePort<NurseryReport, NurseryOrder>(control))
);

function tend(control: Port<NurseryReport, NurseryOrder>): void {
  const workers = new Map<number, () => void>();
  control.onReady = () => {
    for (const order of takeAll(control)) {
      const { id } = order;
      if (order.kind === "end") {
        workers.get(id)?.();
        workers.delete(id);
      } else if (order.kind === "release") {
        releaseLeftResources(order.resources);
        control.post({ kind: "released", id });
      } else {
        workers.set(
          id,
          startWorker(order, (message) => {
            workers.delete(id);
            control.post({ kind: "crashed", id, message });
          }),
        );
      }
    }
  };
}
