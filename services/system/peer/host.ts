/** The system's end of an emulated wire's peer. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { ControlLine } from "../../runtime/control_line.ts";
import type { Part, Thread, Threads } from "../../runtime/thread.ts";
import type { PeerOrder, PeerReport, PeerStart } from "./messages.ts";

/** How a peer is started. */
export interface PeerHostOptions {
  readonly part: Part<PeerStart>;
  readonly threads: Threads;
  readonly manifest: Manifest;
  /** The peer's end of the wire. */
  readonly link: MessagePort;
  readonly onCrash: (message: string) => void;
}

/** A peer, seen from the system. */
export class PeerHost {
  /** What the peer had counted when it was asked last. */
  counters: Counts = {};
  readonly thread: Thread;
  readonly #control: ControlLine<PeerOrder, PeerReport>;

  /** Starts the peer. */
  constructor({ part, threads, manifest, link, onCrash }: PeerHostOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#control = new ControlLine(port1, {
      whom: "the peer on the emulated wire",
    });
    const { address, seed, pace } = manifest;
    this.thread = threads.start(part, {
      link,
      control: port2,
      target: address.address,
      prefixBits: address.prefixBits,
      seed,
      pace,
    }, { transfer: [link, port2], onCrash });
  }

  /** Whether the peer can be asked. */
  get open(): boolean {
    return this.#control.open;
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

  /** Closes the line, and ends the peer. */
  close(): void {
    this.#control.close();
    this.thread.end();
  }
}
