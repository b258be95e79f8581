/** The capabilities that a system's caller holds itself. */

import { fromMessagePort } from "../../caps/port.ts";
import { RIGHT_OBSERVE, RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/rights.ts";
import { takeNow } from "../../drivers/service/shell.ts";
import { Alarms } from "../alarms.ts";
import { makeRealClock } from "../clock.ts";
import type { Grant } from "../filter/grant.ts";
import { Receiver } from "../receiver.ts";
import type { Connector } from "./connector.ts";
import type { Fate } from "./fate.ts";
import type { OpenOptions } from "./handle.ts";

/** Opens receivers, and closes those that are left. */
export class Receivers {
  readonly #connector: Connector;
  readonly #fate: Fate;
  readonly #open = new Set<Receiver>();

  /** Once the system that `fate` is of has failed, there is nothing to revoke. */
  constructor(connector: Connector, fate: Fate) {
    this.#connector = connector;
    this.#fate = fate;
  }

  /**
   * A capability for the caller.
   * @throws {RefusedError} when it is refused; nothing is left of it then.
   */
  async open(receives: Grant, options: OpenOptions): Promise<Receiver> {
    const { sends, observe = false, quotaPages = 64, copyBytesMax } = options;
    const { lifetimeMs } = options;
    const connector = this.#connector;
    const { port, data, requests } = connector.connect();
    await connector.introduced();
    const revoke = async () => {
      requests.close();
      if (this.#fate.failure === undefined) await connector.revoke(port);
    };
    try {
      const capability = await connector.derive({
        grant: receives,
        ...(sends === undefined ? {} : { sends }),
        rights: (observe ? RIGHT_OBSERVE : RIGHT_RECEIVE) |
          (sends === undefined ? 0 : RIGHT_SEND),
        quotaPages,
        ...(copyBytesMax === undefined ? {} : { copyBytesMax }),
        ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
        to: port,
      });
      const alarms = new Alarms(makeRealClock());
      const receiver = new Receiver({
        port: fromMessagePort(data, { takeNow }),
        capability,
        revoke,
        detach: () => {
          alarms[Symbol.dispose]();
          this.#open.delete(receiver);
          connector.detach(port);
        },
      });
      this.#open.add(receiver);
      if (lifetimeMs !== undefined) {
        // The capability is over by then; the receiver is not told.
        alarms.after(lifetimeMs, () => {
          receiver[Symbol.asyncDispose]().catch(() => {});
        });
      }
      return receiver;
    } catch (error) {
      data.close();
      await revoke();
      connector.detach(port);
      throw error;
    }
  }

  /** Closes all: what the caller holds and has not read comes home. */
  async close(): Promise<void> {
    await Promise.allSettled(
      [...this.#open].map((one) => one[Symbol.asyncDispose]()),
    );
  }
}
