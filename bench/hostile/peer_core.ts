/** A host that sends datagrams to several ports at one pace, and counts what comes back from each. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Core, Frame, Outbox, Verdict } from "../../services/core/core.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import { macFor } from "../../services/manifest/interface_address.ts";
import { Pace } from "../../services/peer/pace.ts";
import { PeerFrames } from "../../services/peer/frames.ts";
import { OUTSTANDING_MAX } from "../../services/peer/exchange.ts";
import { getU16 } from "../../services/wire/big_endian.ts";

/** Where the source port of an answer lies: behind Ethernet and IPv4 without options. */
const SOURCE_PORT_AT = 34;

/** Datagrams of a kind that are made up for at one wake-up. */
const BURST = 256;

/** To whom it sends, and how much. */
export interface LoadOptions {
  readonly mac: Uint8Array;
  readonly address: number;
  readonly target: number;
  readonly ports: readonly number[];
  /** From one datagram to the next, to each port. */
  readonly intervalUs: number;
  readonly payloadBytes: number;
}

/** The host. It counts `sent` for each port, and `answered-PORT`. */
export class LoadPeer implements Core {
  readonly #pace: Pace;
  readonly #lanes: readonly PeerFrames[];
  readonly #targetMac: Uint8Array;
  readonly #payload: Uint8Array;
  readonly #answered = new Map<number, number>();
  #sent = 0;

  constructor(options: LoadOptions) {
    this.#pace = new Pace(options.intervalUs, BURST);
    this.#pace.start(0);
    this.#lanes = options.ports.map((udpPort) =>
      new PeerFrames({ ...options, udpPort, seed: 1 })
    );
    for (const port of options.ports) this.#answered.set(port, 0);
    this.#targetMac = macFor(options.target);
    this.#payload = new Uint8Array(options.payloadBytes).fill(7);
  }

  get wakeAt(): Instant {
    return this.#pace.nextAt;
  }

  wake(now: Instant, out: Outbox): void {
    for (let due = this.#pace.due(now); due > 0; due--) {
      const sequence = this.#sent++ % OUTSTANDING_MAX;
      for (const lane of this.#lanes) {
        lane.datagram(this.#targetMac, sequence, this.#payload, out);
      }
    }
  }

  receive({ bytes, start }: Frame): Verdict {
    const port = getU16(bytes, start + SOURCE_PORT_AT);
    const answered = this.#answered.get(port);
    if (answered === undefined) return "drop:not-mine";
    this.#answered.set(port, answered + 1);
    return "handled";
  }

  counters(): Counts {
    const answers = [...this.#answered].map(([port, count]) =>
      [`answered-${port}`, count] as const
    );
    return { sent: this.#sent, ...Object.fromEntries(answers) };
  }
}
