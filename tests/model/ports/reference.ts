/**
 * The meaning of ports between services, said plainly: two services that ask, `a`
 * and `c`, and one that answers and tells, `b`. All that a service hears is a line
 * in its log.
 */

import {
  ANSWER_MS_MAX,
  type AnswererForgery,
  answerTo,
  type Asker,
  type AskerForgery,
  ASKERS,
  FLOOD,
  FORGED_ANSWER,
  PUSHES_MAX,
  REQUESTS_MAX,
  type Service,
  STRIKES_MAX,
} from "./terms.ts";
import {
  Connection,
  isAnswer,
  isPush,
  type Item,
  type Request,
} from "./connection.ts";

type Tally = Map<string, number>;

/** A service that asks. */
class AskingModel {
  requests: Request[] = [];
  connection: Connection | undefined;
  told = false;
  stalled = false;
  log: string[] = [];
  tally: Tally = new Map();
}

/** The reference. */
export class PortsReference {
  nowMs = 0;
  readonly askers: Record<Asker, AskingModel> = {
    a: new AskingModel(),
    c: new AskingModel(),
  };
  log: string[] = [];
  tally: Tally = new Map();
  #up = true;

  constructor() {
    for (const name of ASKERS) this.#connect(this.askers[name]);
  }

  #connect(asker: AskingModel): void {
    if (!this.#up) return;
    asker.connection = new Connection();
    asker.told = false;
  }

  ask(name: Asker, values: readonly number[]): void {
    const asker = this.askers[name];
    if (asker.stalled) return;
    for (const value of values) {
      const under = asker.requests.filter(({ state }) => state !== "ended");
      const { connection } = asker;
      if (connection === undefined || connection.closedBy === "asker") {
        add(asker.tally, "unavailable");
      } else if (under.length >= REQUESTS_MAX) add(asker.tally, "full");
      else {
        add(asker.tally, "asked");
        const untilMs = this.nowMs + ANSWER_MS_MAX;
        const request: Request = { value, untilMs, state: "waiting" };
        asker.requests = [...under, request];
        this.#shown(connection);
        this.#arrive(name, connection, request, value);
      }
    }
  }

  /** What an asker posts shows what it has read. */
  #shown(connection: Connection): void {
    connection.unshown = 0;
    if (!connection.showsTrue) return;
    connection.unreadAnswers = connection.toAsker.filter(isAnswer).length;
    connection.unreadPushes = connection.toAsker.filter(isPush).length;
  }

  /** A request is with `b`. */
  #arrive(
    name: Asker,
    connection: Connection,
    of: Request | undefined,
    value: number,
  ): void {
    if (connection.closedBy !== undefined) return;
    this.#tellAnswerer(name, connection);
    const places = connection.later.length + connection.unreadAnswers;
    if (places >= REQUESTS_MAX) return this.#strike(name, connection, "over");
    add(this.tally, "requests");
    this.log.push(`${name} asks ${value}`);
    const answer = answerTo(value);
    if (answer === "later") {
      const untilMs = this.nowMs + ANSWER_MS_MAX;
      connection.later.push({ of, value, untilMs });
    } else this.#reply(connection, of, answer);
  }

  #tellAnswerer(name: Asker, connection: Connection): void {
    if (connection.toldAnswerer) return;
    connection.toldAnswerer = true;
    this.log.push(`${name} connected`);
  }

  #reply(
    connection: Connection,
    of: Request | undefined,
    value: number | undefined,
  ): void {
    add(this.tally, value === undefined ? "declined" : "answered");
    connection.unreadAnswers++;
    if (connection.closedBy === "asker") return;
    connection.leaving++;
    connection.toAsker.push(
      of === undefined ? { kind: "unasked" } : { kind: "answer", of, value },
    );
  }

  #strike(name: Asker, connection: Connection, what: string): void {
    add(this.tally, what);
    if (++connection.strikesOfAsker < STRIKES_MAX) return;
    add(this.tally, "cut-off");
    connection.closedBy = "answerer";
    connection.later = [];
    connection.toAsker.splice(connection.toAsker.length - connection.leaving);
    this.log.push(`${name} gone`);
  }

  /** `b` answers the oldest request that it has kept, of whomever. */
  answer(name: Asker, isDeclined: boolean): void {
    const { connection } = this.askers[name];
    if (!this.#up || connection === undefined) return;
    const later = connection.later.shift();
    if (later === undefined) return;
    const value = isDeclined ? undefined : later.value + 2;
    this.#reply(connection, later.of, value);
  }

  push(value: number, to: Asker | undefined): void {
    if (!this.#up) return;
    for (const name of ASKERS) {
      const { connection } = this.askers[name];
      if (connection === undefined || connection.closedBy === "answerer") {
        continue;
      }
      if (to !== undefined && to !== name) continue;
      if (connection.unreadPushes >= PUSHES_MAX) {
        connection.lost++;
        add(this.tally, "pushes-lost");
        continue;
      }
      add(this.tally, "pushes");
      connection.unreadPushes++;
      const { lost } = connection;
      connection.lost = 0;
      if (connection.closedBy === "asker") continue;
      connection.toAsker.push({ kind: "push", value, lost });
    }
  }

  stall(name: Asker, stalled: boolean): void {
    this.askers[name].stalled = stalled;
  }

  elapse(ms: number): void {
    this.nowMs += ms;
  }

  /** A service starts again. */
  restart(service: Service): void {
    if (service === "b") {
      this.log = [];
      this.tally = new Map();
      for (const name of ASKERS) {
        this.#lose(this.askers[name]);
        this.#connect(this.askers[name]);
      }
      return;
    }
    const { connection } = this.askers[service];
    if (connection !== undefined) this.#askerGone(service, connection);
    this.askers[service] = new AskingModel();
    this.#connect(this.askers[service]);
  }

  #askerGone(name: Asker, connection: Connection): void {
    if (connection.closedBy === "answerer" || !connection.toldAnswerer) return;
    this.log.push(`${name} gone`);
  }

  /** Ends an asker's connection. */
  #lose(asker: AskingModel): void {
    const { connection } = asker;
    asker.connection = undefined;
    if (connection === undefined || connection.closedBy === "asker") return;
    const waiting = asker.requests.filter(({ state }) => state === "waiting");
    asker.requests = [];
    add(asker.tally, "lost", waiting.length);
    for (const { value } of waiting) asker.log.push(`${value}: none`);
    if (asker.told) asker.log.push("unavailable");
  }

  /** Somebody sends in an asker's name. */
  forgeToAnswerer(name: Asker, how: AskerForgery): void {
    const { connection } = this.askers[name];
    if (connection === undefined || connection.closedBy !== undefined) return;
    this.#tellAnswerer(name, connection);
    if (how === "flood") {
      for (let i = 0; i < FLOOD; i++) {
        this.#arrive(name, connection, undefined, 3);
      }
      return;
    }
    const places = connection.later.length + connection.unreadAnswers;
    if (how === "bad-body" && places >= REQUESTS_MAX) {
      return this.#strike(name, connection, "over");
    }
    this.#strike(name, connection, "malformed");
    if (how !== "bad-body") return;
    if (connection.closedBy === undefined) {
      this.#reply(connection, undefined, undefined);
    } else add(this.tally, "declined");
  }

  /** Somebody sends in `b`'s name. */
  forgeToAsker(name: Asker, how: AnswererForgery): void {
    const { connection } = this.askers[name];
    if (this.askers[name].stalled) return;
    if (connection === undefined || connection.closedBy !== undefined) return;
    const of = this.askers[name].requests
      .find(({ state }) => state === "waiting");
    const items: Record<AnswererForgery, readonly Item[]> = {
      garbage: [{ kind: "malformed", by: "nobody" }],
      torn: [{ kind: "malformed" }],
      "wrong-kind": [{ kind: "malformed" }],
      unasked: [{ kind: "unasked" }],
      "bad-answer": [{ kind: "lie", of, well: false }],
      lie: [{ kind: "lie", of, well: true }],
      flood: Array.from(
        { length: FLOOD },
        () => ({ kind: "push", value: 3, lost: 0 }) as const,
      ),
    };
    connection.toAsker.push(
      ...items[how].map((item): Item => ({ by: "forger", ...item })),
    );
  }

  /** Everybody who is not stalled has turns until nothing is left to do. */
  settle(): void {
    for (const name of ASKERS) this.#turn(name);
    for (const name of ASKERS) {
      const { connection } = this.askers[name];
      if (connection === undefined) continue;
      if (connection.closedBy === undefined) {
        this.#tellAnswerer(name, connection);
      }
    }
    this.#expireLater();
    for (const name of ASKERS) {
      const { connection } = this.askers[name];
      if (connection !== undefined) connection.leaving = 0;
    }
    for (const name of ASKERS) this.#turn(name);
  }

  #turn(name: Asker): void {
    const asker = this.askers[name];
    if (asker.stalled) return;
    const { connection } = asker;
    if (connection !== undefined && connection.closedBy !== "asker") {
      if (!asker.told) {
        asker.told = true;
        asker.log.push("available");
      }
      for (const item of connection.toAsker.splice(0)) {
        this.#read(asker, connection, item);
        if (connection.strikesOfAnswerer >= STRIKES_MAX) break;
      }
    }
    for (const request of asker.requests) {
      if (request.state !== "waiting" || request.untilMs > this.nowMs) continue;
      request.state = "late";
      add(asker.tally, "timed-out");
      asker.log.push(`${request.value}: none`);
    }
    if (connection !== undefined && connection.unshown >= PUSHES_MAX / 2) {
      this.#shown(connection);
    }
  }

  #read(asker: AskingModel, connection: Connection, item: Item): void {
    if (item.by !== "nobody") connection.showsTrue = item.by === undefined;
    const strike = (what: string) => {
      add(asker.tally, what);
      if (++connection.strikesOfAnswerer < STRIKES_MAX) return;
      add(asker.tally, "cut-off");
      this.#lose(asker);
      connection.closedBy = "asker";
      asker.connection = connection;
    };
    if (item.kind === "push") {
      if (++connection.unshown > PUSHES_MAX) return strike("over");
      add(asker.tally, "pushes");
      if (item.lost > 0) add(asker.tally, "pushes-lost", item.lost);
      asker.log.push(`told ${item.value}, ${item.lost} lost`);
    } else if (item.kind === "lie") {
      const { of, well } = item;
      if (of?.state !== "waiting") return strike("unasked");
      of.state = "ended";
      asker.log.push(`${of.value}: ${well ? FORGED_ANSWER : "none"}`);
      if (item.well) add(asker.tally, "answered");
      else strike("malformed");
    } else if (item.kind !== "answer") strike(item.kind);
    else if (item.of.state === "ended") strike("unasked");
    else if (item.of.state === "late") {
      item.of.state = "ended";
      add(asker.tally, "late");
    } else {
      item.of.state = "ended";
      add(asker.tally, item.value === undefined ? "declined" : "answered");
      asker.log.push(`${item.of.value}: ${item.value ?? "none"}`);
    }
  }

  #expireLater(): void {
    for (const name of ASKERS) {
      const { connection } = this.askers[name];
      while (connection?.later[0] !== undefined) {
        if (connection.later[0].untilMs > this.nowMs) break;
        const { of } = connection.later.shift()!;
        add(this.tally, "unanswered");
        this.#reply(connection, of, undefined);
      }
    }
  }
}

function add(tally: Tally, what: string, by = 1): void {
  if (by > 0) tally.set(what, (tally.get(what) ?? 0) + by);
}
