/** Plays moves with the reference model and a system at once, and compares all that can be seen. */

import { deepStrictEqual } from "node:assert/strict";
import { given } from "../../caps/kernel/given.ts";
import { Expected } from "./expected.ts";
import type { Move, Presented } from "./moves.ts";
import { type Nic, SCALES } from "./nics.ts";
import { ReferenceModel } from "./reference.ts";
import type { CapabilitySystem } from "./system.ts";
import type { Cap, Ending, Limits, Right } from "./terms.ts";
import {
  arrivalOf,
  bytesOf,
  everything,
  framesOf,
  framesOfText,
  payloadOf,
} from "./universe.ts";

/** A number that no capability has. */
const NO_CAP = -1;
/** A number that no holder has. */
const NO_PORT = 999;

/** Bytes of the longest frame where the MTU is small: the short ones alone fit. */
const SMALL_FRAME_BYTES = 200;

const ALL_RIGHTS: readonly Right[] = [
  "receive",
  "observe",
  "send",
  "derive",
  "delegate",
];

/** What a move means to a system, once the model has done it. */
type Act = () => void | Promise<void>;

type Minting = Extract<Move, { op: "derive" | "delegate" }>;

/** One model and one system. */
export class Game {
  readonly #scale: Limits & { readonly quotaPages: number };
  readonly #holderCount: number;
  readonly #frameCount: number;
  readonly #system: CapabilitySystem;
  #expected: Expected;
  #nextPort = 1;
  /** How many capabilities were answered: of later ones nobody has the tag. */
  #answered: number | undefined;

  /** With `system`, in which nothing was done yet, and which has such a NIC. */
  constructor(system: CapabilitySystem, nic: Nic = "pages") {
    this.#system = system;
    const { holders, frameCount, ...scale } = SCALES[nic];
    this.#scale = scale;
    this.#holderCount = holders;
    this.#frameCount = frameCount;
    this.#expected = this.#begin();
  }

  /** What the system is compared with. */
  get model(): ReferenceModel {
    return this.#expected.model;
  }

  #begin(): Expected {
    const { quotaPages } = this.#scale;
    const root = {
      grant: everything,
      rights: new Set(ALL_RIGHTS),
      quotaPages,
      copyBytesMax: 2048,
      to: 0,
    };
    const { offloads } = this.#scale;
    const offloadOf = (frame: number) =>
      offloads ? arrivalOf(bytesOf(frame)) : undefined;
    const facts = { bytesOf, payloadOf, offloadOf };
    return new Expected(
      new ReferenceModel(root, facts, this.#scale),
      (frame) => frame % this.#frameCount,
    );
  }

  /** Attaches the first holders. */
  async start(): Promise<void> {
    for (let i = 0; i < this.#holderCount; i++) await this.#attach();
  }

  async #attach(): Promise<void> {
    const port = this.#nextPort++;
    this.model.refused.set(port, {});
    await this.#system.attach(port);
  }

  /** Does one thing to both. @throws when anything that can be seen differs. */
  async play(move: Move): Promise<void> {
    if (move.op !== "meet") {
      await this.#plan(move)?.();
    } else if (this.#system.hold === undefined) {
      for (const one of move.moves) await this.play(one);
    } else await this.#meet(move.moves);
    await this.compare();
  }

  /** Compares all that can be seen. */
  async compare(): Promise<void> {
    const seen = await this.#system.see();
    deepStrictEqual(seen, this.#expected.take());
  }

  /**
   * Orders whose driver is busy meanwhile. A holder's requests are answered one
   * after the other, so each holder has one of them.
   */
  async #meet(moves: readonly Move[]): Promise<void> {
    const system = this.#system;
    const askers = new Set<unknown>();
    const acts: (void | Promise<void>)[] = [];
    let late = false;
    await system.hold!(true);
    this.model.busy(true);
    this.#answered = this.model.caps.length;
    for (const move of moves) {
      const asker = this.#askerOf(move);
      // What is not installed in the first round comes after the frames.
      if (askers.has(asker) || (late && isTraffic(move))) continue;
      askers.add(asker);
      const act = this.#plan(move);
      if (act === undefined) continue;
      late ||= acts.length > 0 && isMinting(move);
      acts.push(act());
      await system.hold!(true);
    }
    await system.hold!(false);
    this.model.busy(false);
    this.#answered = undefined;
    await Promise.all(acts);
  }

  /** Whose request it is, or who crashes; of other moves, one of their own. */
  #askerOf(move: Move): unknown {
    switch (move.op) {
      case "derive":
        return this.#resolve(move.from).port;
      case "delegate":
      case "close":
      case "revoke":
      case "drop":
        return this.#resolve(move.cap).port;
      case "crash":
        return this.#holderAt(move.port);
      default:
        return move;
    }
  }

  /** Has the model do it. Returns what the system is to do. */
  #plan(move: Move): Act | undefined {
    const system = this.#system;
    switch (move.op) {
      case "derive":
        return this.#derive(move);
      case "delegate":
        return this.#delegate(move);
      case "elapse":
        this.model.elapse(move.ticks);
        return () => system.elapse(move.ticks);
      case "close":
      case "revoke":
      case "drop":
        return this.#end(move.op, move.cap);
      case "crash":
        return this.#crash(move);
      case "receive": {
        const frames = this.#expected.receive(move.frames);
        return () => system.receive(frames);
      }
      case "submit":
        return this.#submit(move);
      case "stall":
        this.model.stall(move.stalled);
        return () => system.stall(move.stalled);
      case "mtu": {
        const { wireBytesMax } = this.#scale;
        const bytes = move.small ? SMALL_FRAME_BYTES : wireBytesMax;
        this.model.wireBytesMax = bytes;
        return () => system.setFrameBytesMax(bytes);
      }
      case "restart":
        if (system.restart === undefined) return undefined;
        this.#expected = this.#begin();
        system.restart();
        return () => this.start();
      case "garbage": {
        const port = this.#holderAt(move.port);
        this.model.refuse(port, "malformed");
        return () => system.garbage(port, move.to, move.which);
      }
      case "meet":
        throw new Error("orders that meet are no part of others");
    }
  }

  /** The ports of the services, that of the system not among them. */
  #holderAt(index: number): number {
    const holders = [...this.model.refused.keys()].filter((port) => port !== 0);
    return holders[index % holders.length]!;
  }

  #resolve(
    { by, cap, port }: Presented,
    may: (port: number) => boolean = () => true,
  ): { port: number; cap: number } {
    const ports = [...this.model.refused.keys()].filter(may);
    const other = ports[port % ports.length]!;
    if (by === "guess") return { port: other, cap: NO_CAP };
    const caps = this.model.caps.slice(0, this.#answered);
    if (by === "anybody") return { port: other, cap: cap % caps.length };
    const live = caps.filter((one) => one.live && may(one.to));
    const { id, to } = live[cap % live.length] ?? caps[0]!;
    return { port: to, cap: id };
  }

  #derive(move: Extract<Move, { op: "derive" }>): Act {
    const { port, cap } = this.#resolve(move.from);
    const { grant, residual, sends, rights, copyBytesMax, lifetime } = move;
    const quotaPages = this.#quota(move.quotaPages);
    const to = this.#receiver(port, move.to);
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
    const asked = {
      grant,
      residual,
      sends,
      rights,
      quotaPages,
      copyBytesMax,
      lifetime,
      to,
    };
    return this.#minted(
      () => this.#system.derive(port, cap, asked),
      derived,
    );
  }

  #delegate(move: Extract<Move, { op: "delegate" }>): Act {
    const { port, cap } = this.#resolve(move.cap);
    const to = this.#receiver(port, move.to);
    const { rights, lifetime } = move;
    const quotaPages = move.quotaPages === undefined
      ? undefined
      : this.#quota(move.quotaPages);
    const delegated = this.model.delegate(port, cap, {
      to,
      ...(rights === undefined ? {} : { rights: new Set(rights) }),
      ...given({ quotaPages, lifetime }),
    });
    const asked = { to, rights, quotaPages, lifetime };
    return this.#minted(
      () => this.#system.delegate(port, cap, asked),
      delegated,
    );
  }

  #minted(
    ask: () => Promise<string | undefined>,
    minted: Cap | string,
  ): Act {
    const expected = typeof minted === "string" ? minted : undefined;
    return async () =>
      deepStrictEqual({ refused: await ask() }, { refused: expected });
  }

  /** A quota for so many frames; where that are extents, one for three is a page short of it. */
  #quota(frames: Minting["quotaPages"] & number): number {
    const { framePages } = this.#scale;
    const short = framePages > 1 && frames === 3 ? 1 : 0;
    return frames < 0 ? frames : frames * framePages - short;
  }

  /** Whose the new capability is to be. */
  #receiver(port: number, to: number | undefined): number {
    if (to === -1) return NO_PORT;
    // The system itself takes no packets.
    if (to === undefined && port !== 0) return port;
    return this.#holderAt(to ?? 0);
  }

  #end(op: Ending, presented: Presented): Act {
    const { port, cap } = this.#resolve(presented);
    const expected = this.model.end(op, port, cap);
    return async () => {
      const refused = await this.#system.end(op, port, cap);
      deepStrictEqual({ refused }, { refused: expected });
    };
  }

  #crash({ port: index, last }: Extract<Move, { op: "crash" }>): Act {
    let port = this.#holderAt(index);
    let message: Parameters<CapabilitySystem["crash"]>[1];
    if (last !== undefined) {
      const under = this.#resolve(last.under, (port) => port !== 0);
      if (under.port !== 0) {
        port = under.port;
        const { cap } = under;
        const records = this.#expected.submit(port, cap, last.records);
        message = { cap, records };
      }
    }
    this.model.crash(port);
    return async () => {
      const crashed = this.#system.crash(port, message);
      if (this.#system.hold === undefined) await crashed;
      // Where it can be, another one begins while this one ends.
      await this.#attach();
      await crashed;
    };
  }

  #submit(move: Extract<Move, { op: "submit" }>): Act | undefined {
    // The system itself has no port to the driver.
    const { port, cap } = this.#resolve(move.under, (port) => port !== 0);
    if (port === 0) return undefined;
    const records = this.#expected.submit(port, cap, move.records);
    return () => this.#system.submit(port, cap, records);
  }
}

function isMinting({ op }: Move): boolean {
  return op === "derive" || op === "delegate";
}

function isTraffic({ op }: Move): boolean {
  return op === "receive" || op === "submit";
}
