/** Starts a NIC's filter service, in a worker or in the caller's own thread. */

import { CapabilityKernel } from "../../../caps/kernel/kernel.ts";
import { fromMessagePort, takeAll } from "../../../caps/port/port.ts";
import { TagGenerator } from "../../../caps/kernel/tag.ts";
import { makeRealClock } from "../../runtime/clock.ts";
import { grantAlgebra } from "../siblings/algebra.ts";
import type { FilterOrder, FilterReport, FilterStart } from "./messages.ts";
import { FilterService } from "./service.ts";

/**
 * Capabilities that one NIC may have at once, those among them that are kept for
 * the system, which starts services again, and derivations from the root to a leaf.
 */
const LIMITS = {
  capabilitiesMax: 16384,
  capabilitiesKept: 256,
  depthMax: 16,
};

/** Runs a filter service with the ports in `start`. Its first report is the root capability. */
export function startFilterService(start: FilterStart): void {
  const control = fromMessagePort<FilterReport, FilterOrder>(start.control);
  const tags = new TagGenerator((out) => crypto.getRandomValues(out));
  const kernel = new CapabilityKernel(grantAlgebra, tags, LIMITS);
  const root = kernel.makeRoot(start.system, start.quotaPages);
  const service = new FilterService({
    kernel,
    target: start.target,
    driver: fromMessagePort(start.driver),
    clock: makeRealClock(),
    onCutOff: (port, refusals) =>
      control.post({ kind: "cut-off", port, refusals }),
  });
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "attach") {
        service.attach(order.port, fromMessagePort(order.requests));
      } else if (order.kind === "detach") {
        const { id } = order;
        void service.detach(order.port).then(() =>
          control.post({ kind: "released", id })
        );
      } else if (order.kind === "ping") {
        control.post({ kind: "pong", id: order.id });
      } else if (order.kind === "stop") {
        service[Symbol.dispose]();
        control[Symbol.dispose]();
      } else {
        control.post({
          kind: "described",
          id: order.id,
          capabilities: service.describe(),
          refusals: service.refusals(),
        });
      }
    }
  };
  control.post({ kind: "root", root });
}
