/**
 * Runs a protocol core in the driver's own thread: it is called with each packet
 * where it lies in packet memory, and what it sends is sent from there.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { DirectEnd, DirectHandler } from "../../caps/port/direct_end.ts";
import type { Instant } from "../runtime/clock.ts";
import type { Core, Frame, ServiceNews } from "./core.ts";
import {
  GuardedCore,
  type GuardedCoreOptions,
  type Outgoing,
} from "./guarded_core.ts";

/** What brings a core's packets in the driver's thread. */
export interface DirectConnection {
  readonly end: DirectEnd;
  /** The capability that frames of the core's own are sent under. */
  readonly capability: bigint;
}

/** A core at work in the driver's thread. */
export class DirectRunner implements Disposable {
  readonly #core: GuardedCore;
  readonly #outgoing: DirectOutgoing;
  readonly #end: DirectEnd;

  constructor(core: Core, options: DirectConnection & GuardedCoreOptions) {
    const { end, capability, ports } = options;
    this.#end = end;
    this.#outgoing = new DirectOutgoing(end);
    this.#core = new GuardedCore(core, this.#outgoing, {
      ...options,
      onFailure: (error) => {
        end.serve(undefined);
        end.flush();
        options.onFailure(error);
      },
    });
    if (ports !== undefined) ports.onReady = () => this.#serve();
    end.present(capability);
    end.serve(this.#handler());
    this.#serve();
  }

  /** Tells the core what became of a service that it watches. */
  tell(peer: ServiceNews): void {
    this.#core.tell(peer);
  }

  /** Takes the other end of a connection between services away. */
  closePort(id: number): void {
    this.#core.closePort(id);
  }

  /** The counts of the core and of its runner. */
  counters(): Counts {
    return this.#core.counters();
  }

  /** Has it called no more. */
  [Symbol.dispose](): void {
    this.#core[Symbol.dispose]();
    this.#end.serve(undefined);
  }

  /** Handles what has come at the core's ports, and timers that are due. */
  #serve(): void {
    const core = this.#core;
    core.guard(() => {
      const now = core.now();
      core.servePorts(now);
      core.finish(now);
    });
  }

  #handler(): DirectHandler {
    const core = this.#core;
    const outgoing = this.#outgoing;
    const { verdictOn } = core;
    // Read once a batch.
    let now: Instant = 0;
    const finish = () => core.finish(core.received ? now : core.now());
    return {
      receive(frame: Frame): boolean {
        if (!core.received) {
          core.received = true;
          now = core.now();
        }
        try {
          return verdictOn(frame satisfies Frame, now) === "reply";
        } catch (error) {
          core.fail(error);
          return false;
        }
      },
      endOfBatch: () => core.guard(finish),
      onRoom() {
        outgoing.hasRoom = true;
        core.guard(finish);
      },
    };
  }
}

/** Frames of a core's own, by the end in the driver's thread. */
class DirectOutgoing implements Outgoing {
  readonly #end: DirectEnd;
  /** Whether there is room after a refusal, and the core was not told. */
  hasRoom = false;

  constructor(end: DirectEnd) {
    this.#end = end;
  }

  open(sizeBytes: number): Frame | undefined {
    return this.#end.open(sizeBytes);
  }

  send(): void {
    this.#end.send();
  }

  flush(): void {
    this.#end.flush();
  }

  takeRoom(): boolean {
    const { hasRoom } = this;
    this.hasRoom = false;
    return hasRoom;
  }
}
