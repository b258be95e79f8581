/**
 * The shell of a service: asks for its capability, puts its core on the port,
 * answers the system. The same in a confined worker and in the caller's own
 * thread; what it may reach is what it is given here.
 */

import { fromMessagePort, type Port, takeAll } from "../../caps/port/port.ts";
import { RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/kernel/rights.ts";
import type { Capability } from "../../caps/kernel/tag.ts";
import { makeRealClock } from "../runtime/clock.ts";
import type { PeerNews } from "./core.ts";
import type { ServiceDefinition } from "./definition.ts";
import { FilterClient } from "../filter/service/client.ts";
import type { Grant } from "../filter/grant/grant.ts";
import type { FilterReply, FilterRequest } from "../filter/service/messages.ts";
import { threadBytes } from "../runtime/memory_usage.ts";
import { plainCopy, plainCounts, plainText } from "./plain.ts";
import { CoreRunner, type RunnerWiring } from "./runner.ts";
import type {
  ServiceOrder,
  ServiceReport,
  ServiceStart,
  Wiring,
} from "./messages.ts";

/**
 * Runs a service with the ports in `start`. On a thread of its own it may look
 * for work for a while before it sleeps. What goes wrong goes to the control port.
 */
export async function startService(
  definition: ServiceDefinition,
  start: ServiceStart,
  options: { readonly ownThread?: boolean } = {},
): Promise<void> {
  const control = fromMessagePort<ServiceReport, ServiceOrder>(start.control);
  const fail = (error: unknown) => control.post(failureOf(error));
  try {
    let wired = await wire(definition, start, start);
    const runner = new CoreRunner(definition.make(start.settings), {
      ...wired,
      clock: makeRealClock(),
      spins: (options.ownThread ?? false) && (start.spin ?? false),
      onFailure: fail,
    });
    const rewire = async (wiring: Wiring) => {
      wired.requests[Symbol.dispose]();
      wired = await wire(definition, start, wiring);
      runner.rewire(wired);
      control.post({ kind: "running" });
    };
    control.onReady = () =>
      obey(control, {
        count: (id) => {
          try {
            control.post(countersOf(runner, id));
          } catch (error) {
            fail(error);
          }
        },
        rewire: (wiring) => void rewire(wiring).catch(fail),
        peer: (news) => runner.tellPeer(news),
        stop: () => {
          runner[Symbol.dispose]();
          wired.requests[Symbol.dispose]();
        },
      });
    control.post({ kind: "running" });
  } catch (error) {
    fail(error);
  }
}

function countersOf(runner: CoreRunner, id: number): ServiceReport {
  return {
    kind: "counters",
    id,
    counters: plainCounts(runner.counters()),
    memoryBytes: threadBytes(),
  };
}

function failureOf(error: unknown): ServiceReport {
  return { kind: "failed", message: plainText(error) };
}

/** What a service holds of a NIC. */
interface Wired extends RunnerWiring {
  readonly requests: Port<FilterRequest, FilterReply>;
  readonly capability: Capability;
}

/** Establishes the service's filter; in exchange it gets the capability for its packets. */
export function establish(
  definition: ServiceDefinition,
  start: Omit<ServiceStart, "data" | "requests" | "control">,
  requests: Port<FilterRequest, FilterReply>,
): Promise<Capability> {
  const { settings, quotaPages, copyBytesMax, envelope } = start;
  return new FilterClient(requests).derive({
    from: envelope,
    // Whether they are grants is the filter service's to check.
    grant: plainCopy(definition.receives(settings)) as Grant,
    sends: plainCopy(definition.sends(settings)) as Grant,
    rights: RIGHT_RECEIVE | RIGHT_SEND,
    quotaPages,
    copyBytesMax,
  });
}

async function wire(
  definition: ServiceDefinition,
  start: ServiceStart,
  wiring: Wiring,
): Promise<Wired> {
  const requests = fromMessagePort<FilterRequest, FilterReply>(wiring.requests);
  const { envelope } = wiring;
  const capability = await establish(
    definition,
    { ...start, envelope },
    requests,
  );
  const { data, shared } = wiring;
  return { port: fromMessagePort(data), requests, capability, shared };
}

/** What a service does when it is told to. */
interface Obedience {
  count(id: number): void;
  rewire(wiring: Wiring): void;
  peer(news: PeerNews): void;
  stop(): void;
}

function obey(
  control: Port<ServiceReport, ServiceOrder>,
  does: Obedience,
): void {
  for (const order of takeAll(control)) {
    if (order.kind === "count") does.count(order.id);
    else if (order.kind === "rewire") does.rewire(order);
    else if (order.kind === "peer") does.peer(order);
    else {
      does.stop();
      control[Symbol.dispose]();
    }
  }
}

/** Runs a service in this worker, when the first message has come. */
export function serveService(definition: ServiceDefinition): void {
  serveStart((start) => startService(definition, start, { ownThread: true }));
}

/** Has `begin` run a service in this worker, when the first message has come. */
export function serveStart(
  begin: (start: ServiceStart) => Promise<void>,
): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent) => void) | null;
    onunhandledrejection: ((event: PromiseRejectionEvent) => void) | null;
  };
  scope.onmessage = (event) => {
    scope.onmessage = null;
    const start = event.data as ServiceStart;
    const { control } = start;
    // Told like every other failure, in one line and not with a stack.
    scope.onunhandledrejection = (event) => {
      event.preventDefault();
      control.postMessage(failureOf(event.reason));
    };
    begin(start).catch((error) => control.postMessage(failureOf(error)));
  };
}
