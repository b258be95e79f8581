/** Starts a service in the place that its manifest names. */

import { given } from "../../../caps/kernel/given.ts";
import type { ProcessCommand } from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { ServiceStart, WorkerEnds } from "../../core/messages.ts";
import type { ProcessEvents } from "../../runtime/process/start_process.ts";
import type { Thread, Threads } from "../../runtime/thread.ts";
import type { Connector } from "../nic/connector.ts";
import type { ServicePart } from "../parts.ts";
import { processCommand } from "../process/command.ts";
import type { Supervised } from "./supervised.ts";

/** A service that is connected, before it runs. */
export interface PlacedStart {
  readonly service: Pick<Supervised, "name" | "manifest">;
  readonly part: ServicePart;
  /** What the driver and the filter service know it by. */
  readonly port: PortId;
  /** The first message to it, without its ports. */
  readonly start: Omit<ServiceStart, keyof WorkerEnds>;
  /** Ends of its channels; `data` is absent where packets need none. */
  readonly ends: Omit<WorkerEnds, "data"> & Partial<Pick<WorkerEnds, "data">>;
}

/** Has it started by those who can: the driver, or `threads`. */
export function startPlaced(
  { service, part, port, start, ends }: PlacedStart,
  connector: Connector,
  threads: () => Threads,
  events: ProcessEvents,
): Thread {
  const { name, manifest: { core, place } } = service;
  if (place === "process" && connector.startsProcesses) {
    connector.begin(port, start, ends);
    // The driver ends it when it disconnects the holder.
    return { place: { kind: "process" }, end() {} };
  }
  if (place === "process") {
    const { data, ...others } = ends;
    const command = processOf(name, part);
    return threads().startProcess(
      { command, start, data: data!, ...others },
      events,
    );
  }
  const { data, requests, control } = ends;
  const whole = { ...start, ...given({ data }), requests, control };
  const transfer = [requests, control, ...(data ? [data] : [])];
  if (place === "driver") {
    connector.run(port, { name, core, start: whole }, transfer);
    // What ends it is its control line.
    return { place: { kind: "driver" }, end() {} };
  }
  const { onCrash } = events;
  return threads().start(part, { ...whole, data: data! }, {
    transfer,
    onCrash,
  });
}

/** How the process of a service is started. */
export function processOf(
  name: string,
  { worker, process }: ServicePart,
): ProcessCommand {
  const { module, argument } = process ?? { module: worker, argument: "" };
  return processCommand(name, module, argument);
}
