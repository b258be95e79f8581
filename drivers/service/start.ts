/**
 * The worker that a driver service lives in: a few lines around
 * {@link DriverService}, the same for every NIC. Its permissions are its NIC's
 * (FFI, or one file), and none else.
 */

import { setImmediate } from "node:timers";
import { receiveMessageOnPort } from "node:worker_threads";
import { given } from "../../caps/kernel/given.ts";
import type {
  DriverOrder,
  DriverReport,
  SystemOrder,
  SystemReport,
} from "../../caps/driver/messages.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import {
  openPacketMemory,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import { onFirstMessage } from "../../caps/port/first_message.ts";
import {
  ARRIVAL_TURNS,
  fromMessagePort,
  type Port,
  takeAll,
  type TakeNow,
} from "../../caps/port/port.ts";
import { type Driver, wireBytesMaxOf } from "../driver.ts";
import type { Delivery } from "../../caps/port/records.ts";
import { withCapture } from "../middleware/capture.ts";
import { listResourcesIn } from "../sys/resource_list.ts";
import { runDriverService } from "./loop.ts";
import { CalledServices, type RunCalled } from "./called_services.ts";
import { DriverService } from "./service.ts";

/** Bytes of an Ethernet header, which an MTU does not count. */
const ETHERNET_BYTES = 14;

/** The first message to a driver's worker. */
export interface DriverStart<Options> {
  /** What the NIC is opened with: plain data and transferred ports. */
  readonly options: Options;
  /** Packet memory, which the system holds. */
  readonly memory: WebAssembly.Memory;
  readonly frameCount: number;
  /** How many extents its last frames are; none by default. */
  readonly extentCount?: number;
  /** Whether it looks for work for a while before it sleeps, on a thread of its own. */
  readonly spin?: boolean;
  /** The path of a capture of all that crosses its NIC; none by default. */
  readonly write?: string;
  /** Where to list what the driver has of the kernel, which outlives a worker that dies. */
  readonly resources?: SharedArrayBuffer;
  /** Runs services in this thread, where the driver is in the caller's: no worker can be sent that. */
  readonly run?: RunCalled;
  /** To the filter service. */
  readonly orders: MessagePort;
  /** To the system. */
  readonly control: MessagePort;
}

/** Takes what waits in a MessagePort, dispatched by the event loop or not. */
export const takeNow: TakeNow = receiveMessageOnPort as unknown as TakeNow;

/**
 * Opens a NIC. What it throws is told to the system. One that takes its time is
 * told by the signal that nobody waits any more.
 */
export type OpenDriver<Options> = (
  options: Options,
  memory: PacketMemory,
  signal: AbortSignal,
) => Driver | Promise<Driver>;

/** Waits for the first message, opens the NIC with `open`, and runs its driver service. */
export function serveDriver<Options>(open: OpenDriver<Options>): void {
  serveCallingDriver(open, undefined);
}

/** Serves a driver as {@link serveDriver} does; `run` runs the services that are in its thread. */
export function serveCallingDriver<Options>(
  open: OpenDriver<Options>,
  run: RunCalled | undefined,
): void {
  onFirstMessage((start: DriverStart<Options>) =>
    void startDriver(start, open, false, run)
  );
}

/**
 * Opens a NIC and runs its driver service until the system stops it; `run` runs
 * the services that are in its thread. What goes wrong goes to the control port.
 */
export async function startDriver<Options>(
  start: DriverStart<Options>,
  open: OpenDriver<Options>,
  sameThread: boolean,
  run: RunCalled | undefined = start.run,
): Promise<void> {
  const control = fromMessagePort<SystemReport, SystemOrder>(start.control, {
    takeNow,
  });
  if (start.resources !== undefined) listResourcesIn(start.resources);
  try {
    await serve({ ...start, ...given({ run }) }, control, open, sameThread);
  } catch (error) {
    control.post({
      kind: "failed",
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

async function serve<Options>(
  start: DriverStart<Options>,
  control: Port<SystemReport, SystemOrder>,
  open: OpenDriver<Options>,
  sameThread: boolean,
): Promise<void> {
  const memory = openPacketMemory(
    start.memory,
    start.frameCount,
    start.extentCount,
  );
  const stopped = new AbortController();
  // Nothing else is ordered before the NIC is open.
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "stop") stopped.abort();
    }
  };
  const driver = withCapture(
    await open(start.options, memory, stopped.signal),
    memory,
    start.write,
  );
  const service = new DriverService({
    driver,
    memory,
    orders: fromMessagePort<DriverReport, DriverOrder>(start.orders, {
      takeNow,
    }),
    onCutOff: (port, refusals) =>
      control.post({ kind: "cut-off", port, refusals }),
  });
  // A capture that is replayed, and a NIC that is busy, would have packets for
  // holders that are not there yet.
  service.stopReceiving();
  const called = new CalledServices(service, start.run);
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "stop") stopped.abort();
      else obey(service, called, control, order);
    }
  };
  const mtu = wireBytesMaxOf(driver.info) - ETHERNET_BYTES;
  const { offloads = 0 } = driver.info;
  control.post({ kind: "open", mtu, offloads });
  try {
    await runDriverService(service, {
      signal: stopped.signal,
      onEnded: () => control.post({ kind: "ended", ...warningOf(driver) }),
      onNotice: (text) => control.post({ kind: "notice", text }),
      sameThread,
      spin: start.spin ?? false,
    });
  } finally {
    const counts = service.counts();
    service[Symbol.dispose]();
    if (stopped.signal.aborted) control.post({ kind: "stopped", counts });
  }
}

function warningOf({ info, warning }: Driver): { readonly warning?: string } {
  return warning === undefined ? {} : { warning: `${info.name}: ${warning}` };
}

function obey(
  service: DriverService,
  called: CalledServices,
  control: Port<SystemReport, SystemOrder>,
  order: Exclude<SystemOrder, { kind: "stop" }>,
): void {
  switch (order.kind) {
    case "attach": {
      const data = fromMessagePort<Delivery | null, unknown>(order.data, {
        takeNow,
        unreadMax: order.inFlightMax,
      });
      return service.attach(order.port, data, order, order.rings);
    }
    case "attach-called":
      return called.attach(order.port);
    case "run":
      return called.run(order.port, order.service);
    case "spawn":
      return spawn(service, control, order);
    case "begin":
      return service.processes.begin(order.port, {
        start: order.start,
        control: fromMessagePort(order.control),
        requests: fromMessagePort(order.requests),
        ...given({
          data: order.data && fromMessagePort<unknown, Delivery | null>(
            order.data,
            { takeNow },
          ),
        }),
      });
    case "detach":
      called.detach(order.port);
      return detachAfter(ARRIVAL_TURNS, service, order.port);
    case "receive":
      return service.startReceiving();
    case "count": {
      const counts = service.counts();
      return void control.post({ kind: "counts", id: order.id, counts });
    }
  }
}

function spawn(
  service: DriverService,
  control: Port<SystemReport, SystemOrder>,
  order: Extract<SystemOrder, { kind: "spawn" }>,
): void {
  const process = service.processes.spawn(order.port, order.process, {
    unreadMax: order.inFlightMax,
    onPrinted: (text) => control.post({ kind: "notice", text }),
  });
  if (process === undefined || !order.holds) return;
  service.attach(order.port, process.data, order);
}

/**
 * Lets go of a holder. The order may have overtaken what the holder gave back
 * before it: the event loop takes a message off a port some time before it
 * dispatches it (caps/port/port.ts), and pages in it would be quarantined.
 */
function detachAfter(
  turns: number,
  service: DriverService,
  port: PortId,
): void {
  if (turns === 0) return service.detach(port);
  setImmediate(() => detachAfter(turns - 1, service, port));
}
