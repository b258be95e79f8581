/** The capabilities that a system's caller holds itself. */

import { given } from "../../caps/kernel/given.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import { fromMessagePort, type Port } from "../../caps/port/port.ts";
import { INTERPOSED_LIMITS, PLAIN_LIMITS } from "../../caps/driver/messages.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import {
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../caps/kernel/rights.ts";
import { takeNow } from "../../drivers/service/start.ts";
import { Alarms } from "../runtime/alarms.ts";
import { makeRealClock } from "../runtime/clock.ts";
import { FilterClient, RefusedError } from "../filter/service/client.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { interpose } from "../interpose/interpose.ts";
import type { InterposedPort } from "../interpose/layer.ts";
import { readRateLimit } from "../manifest/rate_limit.ts";
import { Receiver, type ReceiverParts } from "../receiver/receiver.ts";
import type { Connector } from "./nic/connector.ts";
import type { OpenOptions } from "./system.ts";

/** What a receiver is connected by now. */
export interface ConnectedReceiver {
  /** Number, from 1 in the order of opening. */
  readonly number: number;
  /** What the driver and the filter service know it by. */
  readonly port: PortId;
  /** The names of what is interposed before it, the nearest to the driver first. */
  readonly interposers: readonly string[];
}

/** A receiver's connection, and its port there. */
type Established = readonly [parts: ReceiverParts, port: PortId];

interface OpenReceiver {
  readonly number: number;
  readonly interposers: readonly string[];
  port: PortId;
  /** Connects it to a new life of the NIC. */
  readonly restore: () => Promise<Established>;
}

/** Opens receivers, restores them on each new life of the NIC, and closes those that are left. */
export class Receivers {
  readonly #open = new Map<Receiver, OpenReceiver>();
  #lastNumber = 0;
  /** To the NIC as it is now; undefined while there is none. */
  #connector: Connector | undefined;

  /** Receivers that are open, the first to be opened first. */
  get connected(): readonly ConnectedReceiver[] {
    return [...this.#open.values()];
  }

  /** Takes a NIC on which receivers can be opened. */
  plug(connector: Connector): void {
    this.#connector = connector;
  }

  /** Takes the NIC away, and all capabilities with it; packets that have arrived can still be read. */
  unplug(): void {
    this.#connector = undefined;
  }

  /** Each receiver gets a fresh capability; its reader notices nothing but the gap. */
  async restore(): Promise<void> {
    await Promise.all(
      [...this.#open].map(async ([receiver, open]) => {
        try {
          const [parts, port] = await open.restore();
          open.port = port;
          receiver.reconnect(parts);
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          receiver.end(); // somebody else has its packets now
        }
      }),
    );
  }

  /** No packet will ever come: loops over them end. */
  end(): void {
    this.#connector = undefined;
    for (const receiver of this.#open.keys()) receiver.end();
  }

  /**
   * A capability for the caller.
   * @throws {RefusedError} when it is refused; nothing is left of it then.
   */
  async open(receives: Grant, options: OpenOptions): Promise<Receiver> {
    const { lifetimeMs } = options;
    const overMs = performance.now() + (lifetimeMs ?? Infinity);
    const alarms = new Alarms(makeRealClock());
    const forget = () => {
      alarms[Symbol.dispose]();
      this.#open.delete(receiver);
    };
    /** Again: what is left of its lifetime. */
    const restore = () => {
      const restMs = Math.max(1, Math.ceil(overMs - performance.now()));
      const rest = lifetimeMs === undefined ? {} : { lifetimeMs: restMs };
      return this.#establish(receives, { ...options, ...rest }, forget);
    };
    const [parts, port] = await this.#establish(receives, options, forget);
    const receiver: Receiver = new Receiver(parts);
    const interposers = (options.interpose ?? []).map(({ name }) => name);
    const number = ++this.#lastNumber;
    this.#open.set(receiver, { number, interposers, port, restore });
    if (lifetimeMs !== undefined) {
      // The capability has expired by then; the receiver is not told.
      alarms.after(lifetimeMs, () => {
        receiver[Symbol.asyncDispose]().catch(() => {});
      });
    }
    return receiver;
  }

  async #establish(
    receives: Grant,
    options: OpenOptions,
    forget: () => void,
  ): Promise<Established> {
    const { sends, observe = false, quotaPages = 64, copyBytesMax } = options;
    const { lifetimeMs, limit } = options;
    const connector = this.#connector;
    if (connector === undefined) {
      throw new Error(
        "open: the NIC is not running; it is being started again",
      );
    }
    const { trusted: isTrusted = false } = options;
    if (isTrusted && (observe || options.interpose !== undefined)) {
      throw new Error(
        "open: `trusted` goes neither with `observe` nor with `interpose`: packets are read where they lie",
      );
    }
    const { port, data, requests, trusted } = connector.connectChannel({
      limits: options.interpose === undefined
        ? PLAIN_LIMITS
        : INTERPOSED_LIMITS,
      trusted: isTrusted,
    });
    await connector.introduced();
    const client = new FilterClient(fromMessagePort(requests));
    const revoke = async () => {
      client[Symbol.dispose]();
      if (connector === this.#connector) await connector.revoke(port);
    };
    try {
      const capability = await connector.derive({
        grant: receives,
        ...given({ sends }),
        rights: (observe ? RIGHT_OBSERVE : RIGHT_RECEIVE) |
          (sends === undefined ? 0 : RIGHT_SEND),
        quotaPages,
        ...given({ copyBytesMax, lifetimeMs }),
        ...(limit === undefined ? {} : { limit: readRateLimit(limit) }),
        to: port,
      });
      const posed = poseOn(fromMessagePort(data, { takeNow }), options);
      const parts: ReceiverParts = {
        port: posed.port,
        capability,
        trusted,
        account: () => client.account(capability),
        revoke,
        detach: () => {
          forget();
          posed.giveBack();
          connector.detach(port);
        },
      };
      return [parts, port];
    } catch (error) {
      data.close();
      await revoke();
      connector.detach(port);
      throw error;
    }
  }

  /** Closes all: what the caller holds and has not read comes back. */
  async close(): Promise<void> {
    await Promise.allSettled(
      [...this.#open.keys()].map((one) => one[Symbol.asyncDispose]()),
    );
  }
}

/** A receiver's port, with what is interposed before it; and how all that is held there is given back. */
function poseOn(
  port: Port<Submission, Delivery>,
  { interpose: interposers = [] }: OpenOptions,
): Pick<InterposedPort, "giveBack"> & { port: Port<Submission, Delivery> } {
  if (interposers.length === 0) return { port, giveBack() {} };
  const posed = interpose(port, interposers);
  return { port: posed, giveBack: () => posed.giveBack() };
}
