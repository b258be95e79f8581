/** What is to be seen of a system, by the reference model: with the numbers of packets, and with totals. */

import { given } from "../../caps/kernel/given.ts";
import type { RecordMove } from "./moves.ts";
import type { ReferenceModel } from "./reference.ts";
import type { AskedRecord, Seen, SeenAccount } from "./system.ts";
import { nameOfOffload, nameOutgoing } from "./sent_names.ts";
import type { Cap, Page, Submitted } from "./terms.ts";
import { bytesOf, HEADERS_BYTES } from "./universe.ts";

/** A frame that arrives, with a number of its own. */
export interface Arriving {
  readonly frame: number;
  readonly serial: number;
}

/** What one model comes to. */
export class Expected {
  readonly model: ReferenceModel;
  /** Which frame a move means: a NIC may have fewer. */
  readonly #frameOf: (frame: number) => number;
  /** The number of the packet that came in each page. */
  readonly #pageSerials = new Map<number, number>();
  readonly #totals = new Map<number, { d: number[]; s: number[] }>();
  #delivered: string[] = [];
  #sent: string[] = [];
  #serial = 0;

  constructor(model: ReferenceModel, frameOf: (frame: number) => number) {
    this.model = model;
    this.#frameOf = frameOf;
  }

  /** Frames arrive. Returns them with their numbers. */
  receive(frames: readonly number[]): Arriving[] {
    const arriving = frames.map((frame) => ({
      frame: this.#frameOf(frame),
      serial: ++this.#serial,
    }));
    for (const { frame, serial } of arriving) {
      const before = this.model.delivered.length;
      this.model.receive(frame);
      for (const one of this.model.delivered.slice(before)) {
        if (one.page !== undefined) this.#pageSerials.set(one.page, serial);
        const form = one.page === undefined ? "copy" : "page";
        const said = nameOfOffload(one.offload);
        this.#delivered.push(`${one.cap} ${frame}#${serial} ${form}${said}`);
        this.#count(one.cap, "d", bytesOf(frame));
      }
    }
    return arriving;
  }

  /** A message to the driver. Returns its records, as a system takes them. */
  submit(
    port: number,
    cap: number,
    records: readonly RecordMove[],
  ): AskedRecord[] {
    const meant: Submitted[] = [];
    const asked: AskedRecord[] = [];
    for (const record of records) this.#say(port, record, meant, asked);
    const before = this.model.sent.length;
    this.model.submit(port, cap, meant);
    const serials = new Map<unknown, number>(
      asked.flatMap((one, i) =>
        one.kind === "send" ? [[meant[i], one.serial] as const] : []
      ),
    );
    for (const one of this.model.sent.slice(before)) {
      const { record: { frame }, segment } = one;
      this.#sent.push(nameOutgoing(one, serials.get(one.record)!));
      const bytes = segment === undefined
        ? bytesOf(frame)
        : HEADERS_BYTES + segment.to - segment.from;
      this.#count(cap, "s", bytes);
    }
    return asked;
  }

  /** All that is to be seen, and since the last look. */
  take(): Seen {
    const { caps, refused, unclaimed, tooLarge } = this.model;
    const [delivered, sent] = [this.#delivered.toSorted(), this.#sent];
    this.#delivered = [];
    this.#sent = [];
    return {
      delivered,
      sent,
      accounts: Object.fromEntries(
        caps.filter(({ live, depth }) => live && depth > 0)
          .map((cap) => [cap.id, this.#accountOf(cap)]),
      ),
      refused: Object.fromEntries(refused),
      lent: this.#pagesIn("lent"),
      inFlight: this.#pagesIn("in flight"),
      quarantined: this.#pagesIn("quarantined"),
      unclaimed,
      tooLarge,
    };
  }

  /** One record, as the model and as the system take it. */
  #say(
    port: number,
    record: RecordMove,
    meant: Submitted[],
    asked: AskedRecord[],
  ): void {
    if (record.kind === "send") {
      const page = record.inPage === undefined
        ? undefined
        : this.#pickPage(port, record.inPage, "own");
      const { kind, offload } = record;
      const frame = this.#frameOf(record.frame);
      const serial = ++this.#serial;
      meant.push({ kind, frame, ...given({ page, offload }) });
      asked.push({
        kind,
        frame,
        serial,
        ...given({ offload }),
        ...(page === undefined ? {} : { page: this.#pageSerials.get(page)! }),
      });
    } else if (record.kind === "return") {
      const page = this.#pickPage(port, record.page, record.whose);
      if (page === undefined) return;
      meant.push({ kind: "return", page });
      asked.push({ kind: "return", page: this.#pageSerials.get(page)! });
    } else {
      meant.push({ kind: record.kind });
      asked.push(record);
    }
  }

  #pickPage(
    port: number,
    at: number,
    whose: "own" | "any",
  ): number | undefined {
    const out = this.model.pages.filter(({ state, cap }) =>
      state === "lent" && (whose === "any" || cap.to === port)
    );
    const page = out[at % out.length];
    return page && this.model.pages.indexOf(page);
  }

  #count(cap: number, which: "d" | "s", bytes: number): void {
    const totals = this.#totals.get(cap) ?? { d: [0, 0], s: [0, 0] };
    this.#totals.set(cap, totals);
    totals[which][0]!++;
    totals[which][1]! += bytes;
  }

  #pagesIn(state: Page["state"]): number {
    return this.model.pages.filter((page) => page.state === state)
      .reduce((sum, { size }) => sum + size, 0);
  }

  #accountOf(cap: Cap): SeenAccount {
    const { d, s } = this.#totals.get(cap.id) ?? { d: [0, 0], s: [0, 0] };
    return {
      held: this.model.held(cap),
      packets: d[0]!,
      bytes: d[1]!,
      sentPackets: s[0]!,
      sentBytes: s[1]!,
      drops: cap.drops,
    };
  }
}
