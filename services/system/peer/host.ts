/** The system's end of an emulated wire's peer. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import { ControlLine } from "../../runtime/control_line.ts";
import type { PeerOrder, PeerReport } from "./messages.ts";

/** A peer, seen from the system. */
export class PeerHost {
  /** What the peer had counted when it was asked last. */
  counters: Counts = {};
  readonly #control: ControlLine<PeerOrder, PeerReport>;

  /** Speaks on `control`. */
  constructor(control: MessagePort) {
    this.#control = new ControlLine(control, {
      whom: "the peer on the emulated wire",
    });
  }

  /** Connects the peer to a new wire. */
  plug(link: MessagePort): void {
    this.#control.send({ kind: "plug", link }, [link]);
  }

  /** Asks for the counters. */
  async ask(): Promise<Counts> {
    const { counters } = await this.#control.ask(
      "counters",
      (id) => ({ kind: "count", id }),
    );
    this.counters = counters;
    return counters;
  }

  /** Closes the line; a peer that still runs stops. */
  close(): void {
    this.#control.close();
  }
}
