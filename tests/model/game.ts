/** Plays moves with the reference model and a system at once, and compares all that can be seen. */

import { deepStrictEqual } from "node:assert/strict";
import { given } from "../../caps/kernel/given.ts";
import type { Move, Presented, RecordMove } from "./moves.ts";
import { ReferenceModel } from "./reference.ts";
import type {
  AskedRecord,
  CapabilitySystem,
  Seen,
  SeenAccount,
} from "./system.ts";
import type { Cap, Ending, Right, Submitted } from "./terms.ts";
import { bytesOf, everything, framesOf, framesOfText } from "./universe.ts";

/** Pages of the root's, limits, and holders at the start. */
export const SCALE = {
  quotaPages: 12,
  capabilities: 8,
  kept: 2,
  depth: 4,
  holders: 3,
} as const;

/** A number that no capability has. */
const NO_CAP = -1;
/** A number that no holder has. */
const NO_PORT = 999;

const ALL_RIGHTS: readonly Right[] = [
  "receive",
  "observe",
  "send",
  "derive",
  "delegate",
];

/** One model and one system. */
export class Game {
  /** What the system is compared with. */
  readonly model: ReferenceModel = new ReferenceModel(
    {
      grant: everything,
      rights: new Set(ALL_RIGHTS),
      quotaPages: SCALE.quotaPages,
      copyBytesMax: 2048,
      to: 0,
    },
    bytesOf,
    SCALE,
  );
  readonly #system: CapabilitySystem;
  /** The number of the packet that came in each page. */
  readonly #pageSerials = new Map<number, number>();
  readonly #totals = new Map<number, { d: number[]; s: number[] }>();
  #delivered: string[] = [];
  #sent: string[] = [];
  #serial = 0;
  #nextPort = 1;

  /** With `system`, in which nothing was done yet. */
  constructor(system: CapabilitySystem) {
    this.#system = system;
  }

  /** Attaches the first holders. */
  async start(): Promise<void> {
    for (let i = 0; i < SCALE.holders; i++) await this.#attach();
  }

  async #attach(): Promise<void> {
    const port = this.#nextPort++;
    this.model.refused.set(port, {});
    await this.#system.attach(port);
  }

  /** Does one thing to both. @throws when anything that can be seen differs. */
  async play(move: Move): Promise<void> {
    switch (move.op) {
      case "derive":
        await this.#derive(move);
        break;
      case "delegate":
        await this.#delegate(move);
        break;
      case "elapse":
        this.model.elapse(move.ticks);
        await this.#system.elapse(move.ticks);
        break;
      case "close":
      case "revoke":
      case "drop":
        await this.#end(move.op, move.cap);
        break;
      case "crash": {
        const port = this.#holders[move.port % SCALE.holders]!;
        this.model.crash(port);
        await this.#system.crash(port);
        await this.#attach();
        break;
      }
      case "receive":
        await this.#receive(move.frames);
        break;
      case "submit":
        await this.#submit(move);
        break;
      case "stall":
        this.model.stall(move.stalled);
        await this.#system.stall(move.stalled);
        break;
      case "garbage": {
        const port = this.#holders[move.port % SCALE.holders]!;
        this.model.refuse(port, "malformed");
        await this.#system.garbage(port, move.to, move.which);
      }
    }
    await this.compare();
  }

  /** Compares all that can be seen. */
  async compare(): Promise<void> {
    const seen = await this.#system.see();
    deepStrictEqual(seen, this.#expected());
    this.#delivered = [];
    this.#sent = [];
  }

  /** The ports of the services, that of the system not among them. */
  get #holders(): number[] {
    return [...this.model.refused.keys()].filter((port) => port !== 0);
  }

  #resolve(
    { by, cap, port }: Presented,
    may: (port: number) => boolean = () => true,
  ): { port: number; cap: number } {
    const ports = [...this.model.refused.keys()].filter(may);
    const other = ports[port % ports.length]!;
    if (by === "guess") return { port: other, cap: NO_CAP };
    const { caps } = this.model;
    if (by === "anybody") return { port: other, cap: cap % caps.length };
    const live = caps.filter((one) => one.live && may(one.to));
    const { id, to } = live[cap % live.length] ?? caps[0]!;
    return { port: to, cap: id };
  }

  async #derive(move: Extract<Move, { op: "derive" }>): Promise<void> {
    const { port, cap } = this.#resolve(move.from);
    const { grant, residual, sends, rights, quotaPages, copyBytesMax } = move;
    const { lifetime } = move;
    const to = this.#receiver(port, move.to);
    const refused = await this.#system.derive(port, cap, {
      grant,
      residual,
      sends,
      rights,
      quotaPages,
      copyBytesMax,
      lifetime,
      to,
    });
    const derived = this.model.derive(port, cap, {
      grant: framesOf(grant),
      rights: new Set(rights),
      quotaPages,
      to,
      ...given({ lifetime }),
      ...(residual === undefined ? {} : { residual: framesOfText(residual) }),
      ...(sends === undefined ? {} : { sends: framesOf(sends) }),
      ...given({ copyBytesMax }),
    });
    const expected = typeof derived === "string" ? derived : undefined;
    deepStrictEqual({ refused }, { refused: expected });
  }

  async #delegate(move: Extract<Move, { op: "delegate" }>): Promise<void> {
    const { port, cap } = this.#resolve(move.cap);
    const to = this.#receiver(port, move.to);
    const { rights, quotaPages, lifetime } = move;
    const asked = { to, rights, quotaPages, lifetime };
    const refused = await this.#system.delegate(port, cap, asked);
    const delegated = this.model.delegate(port, cap, {
      to,
      ...(rights === undefined ? {} : { rights: new Set(rights) }),
      ...given({ quotaPages, lifetime }),
    });
    const expected = typeof delegated === "string" ? delegated : undefined;
    deepStrictEqual({ refused }, { refused: expected });
  }

  /** Whose the new capability is to be. */
  #receiver(port: number, to: number | undefined): number {
    if (to === -1) return NO_PORT;
    // The system itself takes no packets.
    if (to === undefined && port !== 0) return port;
    return this.#holders[(to ?? 0) % SCALE.holders]!;
  }

  async #end(
    op: Ending,
    presented: Presented,
  ): Promise<void> {
    const { port, cap } = this.#resolve(presented);
    const refused = await this.#system.end(op, port, cap);
    deepStrictEqual({ refused }, { refused: this.model.end(op, port, cap) });
  }

  async #receive(frames: readonly number[]): Promise<void> {
    const arriving = frames.map((frame) => ({
      frame,
      serial: ++this.#serial,
    }));
    for (const { frame, serial } of arriving) {
      const before = this.model.delivered.length;
      this.model.receive(frame);
      for (const one of this.model.delivered.slice(before)) {
        if (one.page !== undefined) this.#pageSerials.set(one.page, serial);
        const form = one.page === undefined ? "copy" : "page";
        this.#delivered.push(`${one.cap} ${frame}#${serial} ${form}`);
        this.#count(one.cap, "d", frame);
      }
    }
    await this.#system.receive(arriving);
  }

  async #submit(move: Extract<Move, { op: "submit" }>): Promise<void> {
    // The system itself has no port to the driver.
    const { port, cap } = this.#resolve(move.under, (port) => port !== 0);
    if (port === 0) return;
    const meant: Submitted[] = [];
    const asked: AskedRecord[] = [];
    for (const record of move.records) this.#say(port, record, meant, asked);
    const before = this.model.sent.length;
    this.model.submit(port, cap, meant);
    const serials = new Map<unknown, number>(
      asked.flatMap((one, i) =>
        one.kind === "send" ? [[meant[i], one.serial] as const] : []
      ),
    );
    for (const record of this.model.sent.slice(before)) {
      this.#sent.push(`${record.frame}#${serials.get(record)}`);
      this.#count(cap, "s", record.frame);
    }
    await this.#system.submit(port, cap, asked);
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
      const { kind, frame } = record;
      const serial = ++this.#serial;
      meant.push({ kind, frame, ...given({ page }) });
      asked.push({
        kind,
        frame,
        serial,
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

  #count(cap: number, which: "d" | "s", frame: number): void {
    const totals = this.#totals.get(cap) ?? { d: [0, 0], s: [0, 0] };
    this.#totals.set(cap, totals);
    totals[which][0]!++;
    totals[which][1]! += bytesOf(frame);
  }

  #expected(): Seen {
    const { caps, pages, refused, unclaimed } = this.model;
    const inState = (state: string) =>
      pages.filter((page) => page.state === state).length;
    return {
      delivered: this.#delivered.toSorted(),
      sent: this.#sent,
      accounts: Object.fromEntries(
        caps.filter(({ live, depth }) => live && depth > 0)
          .map((cap) => [cap.id, this.#accountOf(cap)]),
      ),
      refused: Object.fromEntries(refused),
      lent: inState("lent"),
      inFlight: inState("in flight"),
      quarantined: inState("quarantined"),
      unclaimed,
    };
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
