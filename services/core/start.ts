/**
 * The shell of a service: asks for its capability, puts its core on the port,
 * answers the system. The same in a confined worker and in the caller's own
 * thread; what it may reach is what it is given here.
 */

import { given } from "../../caps/kernel/given.ts";
import type { DirectEnd } from "../../caps/port/direct_end.ts";
import {
  openEnd,
  type Port,
  type PortEnd,
  takeAll,
} from "../../caps/port/port.ts";
import { RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/kernel/rights.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { type Clock, makeRealClock } from "../runtime/clock.ts";
import type { ServiceNews } from "./core.ts";
import type { ServiceDefinition } from "./definition.ts";
import { DirectRunner } from "./direct_runner.ts";
import { FilterClient } from "../filter/service/client.ts";
import { withPriorityTagged } from "../filter/grant/priority_tagged.ts";
import { checkGrant } from "../filter/grant/check.ts";
import type { FilterReply, FilterRequest } from "../filter/service/messages.ts";
import { threadBytes } from "../runtime/memory_usage.ts";
import { plainCopy, plainCounts, plainText } from "./plain.ts";
import { refuseBeyondEnvelope } from "./within_envelope.ts";
import { type PortConnection, ServicePorts } from "./ports.ts";
import { UNREAD_MAX } from "../ports/limits.ts";
import { CoreRunner, type RunnerConnection } from "./runner.ts";
import type {
  Connection,
  ServiceEnds,
  ServiceOrder,
  ServiceReport,
  ServiceStart,
} from "./messages.ts";

/** How a service has its turns. */
export interface ServiceTurns {
  /** Whether it has a thread of its own, and may look for work for a while before it sleeps; false by default. */
  readonly ownThread?: boolean;
  /** The runner's clock; a real one of its own by default. */
  readonly clock?: Clock;
  /** By what it is called, in the driver's thread; by default its packets come by a port. */
  readonly end?: DirectEnd | undefined;
}

/** Runs a service in a domain of its own; `fail` tells the system what went wrong. */
export type BeginService = (
  start: ServiceStart<ServiceEnds>,
  turns: ServiceTurns & { readonly fail: (error: unknown) => void },
) => Promise<void>;

/**
 * Runs a service with the ports in `start`. On a thread of its own it may look
 * for work for a while before it sleeps. What goes wrong goes to the control port.
 */
export async function startService(
  definition: ServiceDefinition,
  start: ServiceStart<ServiceEnds>,
  { ownThread = false, clock = makeRealClock(), end }: ServiceTurns = {},
): Promise<void> {
  const control = openEnd(start.control);
  const fail = (error: unknown) => control.post(failureOf(error));
  try {
    let connected = await connect(definition, start, start);
    const ports = new ServicePorts();
    const core = definition.make(start.settings, ports.given);
    const options = { clock, ports, onFailure: fail };
    const spins = ownThread && (start.spin ?? false);
    const runner = end === undefined
      ? new CoreRunner(core, {
        ...packetsOf(start, connected),
        ...options,
        spins,
      })
      : new DirectRunner(core, { ...connected, ...options, end });
    const reconnect = async (connection: Connection<ServiceEnds>) => {
      if (runner instanceof DirectRunner) {
        throw new Error("a service in the driver's thread ends with its NIC");
      }
      connected.requests[Symbol.dispose]();
      connected = await connect(definition, start, connection);
      runner.reconnect(packetsOf(connection, connected));
      control.post({ kind: "running" });
    };
    control.onReady = () =>
      obey(control, {
        count: (id) => {
          try {
            const memoryBytes = ownThread ? threadBytes() : 0;
            control.post(countersOf(runner, ports, { id, memoryBytes }));
          } catch (error) {
            fail(error);
          }
        },
        reconnect: (connection) => void reconnect(connection).catch(fail),
        news: (news) => runner.tell(news),
        connectPort: (connection, port) =>
          ports.connect(
            connection,
            openEnd(port, { unreadMax: UNREAD_MAX, numbered: false }),
          ),
        closePort: (id) => runner.closePort(id),
        stop: () => {
          runner[Symbol.dispose]();
          connected.requests[Symbol.dispose]();
        },
      });
    control.post({ kind: "running", ports: ports.opened() });
  } catch (error) {
    fail(error);
  }
}

function countersOf(
  runner: CoreRunner | DirectRunner,
  ports: ServicePorts,
  told: { readonly id: number; readonly memoryBytes: number },
): ServiceReport {
  return {
    kind: "counters",
    ...told,
    counters: plainCounts(runner.counters()),
    ports: ports.counters(),
  };
}

/** What went wrong, as the system is told of it: one bounded line. */
export function failureOf(error: unknown): ServiceReport {
  return { kind: "failed", message: plainText(error) };
}

/** What a service holds of a NIC. */
interface Connected {
  readonly requests: Port<FilterRequest, FilterReply>;
  readonly capability: Capability;
}

/**
 * Establishes the service's filter; in exchange it gets the capability for its packets.
 * @throws {Error} when nothing of that is in the envelope.
 */
export async function establish(
  definition: ServiceDefinition,
  start: Omit<ServiceStart<ServiceEnds>, "data" | "requests" | "control">,
  requests: Port<FilterRequest, FilterReply>,
): Promise<Capability> {
  const { settings, quotaPages, copyBytesMax, envelope, may } = start;
  const receives = checkGrant(plainCopy(definition.receives(settings)));
  const sends = checkGrant(plainCopy(definition.sends(settings)));
  if (may !== undefined) refuseBeyondEnvelope({ receives, sends }, may);
  return await new FilterClient(requests).derive({
    from: envelope,
    // What has a priority and no VLAN is untagged to a host.
    grant: withPriorityTagged(receives),
    sends: withPriorityTagged(sends),
    rights: RIGHT_RECEIVE | RIGHT_SEND,
    quotaPages,
    copyBytesMax,
  });
}

async function connect(
  definition: ServiceDefinition,
  start: ServiceStart<ServiceEnds>,
  connection: Connection<ServiceEnds>,
): Promise<Connected> {
  const requests = openEnd(connection.requests);
  const { envelope, may } = connection;
  const capability = await establish(
    definition,
    { ...start, envelope, ...given({ may }) },
    requests,
  );
  return { requests, capability };
}

/** By what a service's packets come that is not called. */
function packetsOf(
  { data, trusted }: Connection<ServiceEnds>,
  { capability }: Connected,
): RunnerConnection {
  return { port: openEnd(data!), capability, trusted };
}

/** What a service does when it is told to. */
interface Obedience {
  count(id: number): void;
  reconnect(connection: Connection<ServiceEnds>): void;
  news(news: ServiceNews): void;
  connectPort(
    connection: PortConnection,
    port: PortEnd<ArrayBuffer, unknown>,
  ): void;
  closePort(id: number): void;
  stop(): void;
}

function obey(
  control: Port<ServiceReport, ServiceOrder>,
  does: Obedience,
): void {
  for (const order of takeAll(control)) {
    if (order.kind === "count") does.count(order.id);
    else if (order.kind === "reconnect") does.reconnect(order);
    else if (order.kind === "news") does.news(order);
    else if (order.kind === "connect-port") does.connectPort(order, order.port);
    else if (order.kind === "close-port") does.closePort(order.id);
    else {
      does.stop();
      control[Symbol.dispose]();
    }
  }
}
