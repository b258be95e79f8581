/** The system's end of an emulated wire's peer. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import { Calls } from "../../runtime/calls.ts";
import type { PeerOrder, PeerReport } from "./messages.ts";

/** A peer, seen from the system. */
export class PeerHost {
  /** What it counted when it was asked last. */
  counters: Counts = {};
  readonly #control: Port<PeerOrder, PeerReport>;
  readonly #calls = new Calls<PeerReport>("the peer on the emulated wire");

  /** Speaks on `control`. */
  constructor(control: MessagePort) {
    this.#control = fromMessagePort(control);
    this.#control.onReady = () => {
      for (const report of takeAll(this.#control)) {
        this.#calls.answer(report.id, report);
      }
    };
  }

  /** The wire has a new end for it. */
  plug(link: MessagePort): void {
    this.#control.post({ kind: "plug", link }, [link]);
  }

  /** Asks for its counters. */
  async ask(): Promise<Counts> {
    const report = await this.#calls.ask((id) =>
      this.#control.post({ kind: "count", id })
    );
    this.counters = report.counters;
    return this.counters;
  }

  /** Lets go of it; if it still runs, it stops. */
  close(): void {
    this.#calls.abandon();
    this.#control.post({ kind: "stop" });
    this.#control[Symbol.dispose]();
  }
}
