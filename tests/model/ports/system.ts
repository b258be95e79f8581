/** The real ends of ports and what connects them, in this thread, on a time of its own. */

import { makePipe, type Port } from "../../../caps/port/port.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import type { Outbox } from "../../../services/core/core.ts";
import {
  type PortConnection,
  ServicePorts,
} from "../../../services/core/ports.ts";
import type { AnswerPort } from "../../../services/core/answering.ts";
import type { AskPort } from "../../../services/core/asking.ts";
import { u16 } from "../../../services/ports/fields.ts";
import { portInterface } from "../../../services/ports/interface.ts";
import { MessageWriter, RECORD } from "../../../services/ports/message.ts";
import { UNREAD_MAX } from "../../../services/ports/limits.ts";
import { PortBroker } from "../../../services/system/supervision/port_broker.ts";
import {
  type AnswererForgery,
  answerTo,
  type Asker,
  type AskerForgery,
  ASKERS,
  FLOOD,
  FORGED_ANSWER,
  type Service,
} from "./terms.ts";

const NUMBERS = portInterface({
  name: "numbers",
  request: u16,
  answer: u16,
  push: u16,
});

/** A number that no request of an honest asker gets in a game. */
const NOBODYS = 0xffff_ff00;

/** Rounds in which all must have come to rest. */
const ROUNDS_MAX = 10;

type End = Port<ArrayBuffer, unknown>;

const nowhere: Outbox = { open: () => undefined, send() {} };

/** A life of a service. */
interface Life {
  readonly ports: ServicePorts;
  readonly log: string[];
  readonly asking?: AskPort<number, number>;
  readonly answering?: AnswerPort<number, number>;
  /** Numbers of requests that wait, the oldest first. */
  readonly waiting: number[];
  /** Ids of requests that are to be answered later, with their values, by asker. */
  readonly kept: {
    readonly from: string;
    readonly id: number;
    readonly value: number;
  }[];
}

/** Services `a` and `c`, which ask `b`. */
export class PortsSystem {
  #nowMs = 0;
  readonly #clock = { now: () => this.#nowMs * 1000 };
  readonly #stalled = new Set<Service>();
  /** Requests of each asker in its life now: they are numbered from 1. */
  readonly #asked = new Map<Service, number>();
  readonly #lives = new Map<Service, Life>();
  /** The ends of each asker's connection, for those who send in another's name. */
  readonly #ends = new Map<string, { asking: End; answering: End }>();
  #made: { asking: End; answering: End } | undefined;
  readonly #broker: PortBroker<End>;

  constructor() {
    this.#broker = new PortBroker<End>({
      services: { a: { ports: { to: "b" } }, b: {}, c: { ports: { to: "b" } } },
      channel: () => {
        const [asking, answering] = makePipe<ArrayBuffer, ArrayBuffer>({
          queueMax: UNREAD_MAX,
        });
        this.#made = { asking, answering };
        return [asking, answering];
      },
      connect: (service, connection, end) =>
        this.#connect(service as Service, connection, end),
      close: (service, id) =>
        this.#lives.get(service as Service)!.ports.close(
          id,
          this.#clock.now(),
          nowhere,
        ),
    });
    for (const service of ["b", "a", "c"] as const) this.#start(service);
  }

  #connect(service: Service, connection: PortConnection, end: End): void {
    if (connection.side === "ask") this.#ends.set(service, this.#made!);
    this.#lives.get(service)!.ports.connect(connection, end);
  }

  #start(service: Service): void {
    this.#asked.set(service, 0);
    const ports = new ServicePorts();
    const log: string[] = [];
    const kept: { from: string; id: number; value: number }[] = [];
    const waiting: number[] = [];
    const life: Life = service === "b"
      ? {
        ports,
        log,
        kept,
        waiting,
        answering: ports.given.answer(NUMBERS, {
          onRequest: ({ from, id, request }) => {
            log.push(`${from} asks ${request}`);
            const answer = answerTo(request);
            if (answer === "later") kept.push({ from, id, value: request });
            return answer;
          },
          onAsker: (from, connected) =>
            log.push(`${from} ${connected ? "connected" : "gone"}`),
        }),
      }
      : {
        ports,
        log,
        kept,
        waiting,
        asking: ports.given.ask("to", NUMBERS, {
          onPush: (value, lost) => log.push(`told ${value}, ${lost} lost`),
          onAvailable: (available) =>
            log.push(available ? "available" : "unavailable"),
        }),
      };
    this.#lives.set(service, life);
    const complaints = this.#broker.up(service, ports.opened());
    if (complaints.length > 0) throw new Error(complaints[0]!.message);
  }

  ask(name: Asker, values: readonly number[]): void {
    if (this.#stalled.has(name)) return;
    const { asking, log, waiting } = this.#lives.get(name)!;
    for (const value of values) {
      const number = this.#asked.get(name)! + 1;
      const isAsked = asking!.ask(value, (answer) => {
        waiting.splice(waiting.indexOf(number), 1);
        log.push(`${value}: ${answer ?? "none"}`);
      });
      if (!isAsked) continue;
      waiting.push(number);
      this.#asked.set(name, number);
    }
  }

  answer(name: Asker, isDeclined: boolean): void {
    const { answering, kept } = this.#lives.get("b")!;
    for (;;) {
      const at = kept.findIndex(({ from }) => from === name);
      if (at < 0) return;
      const [{ id, value }] = kept.splice(at, 1) as [typeof kept[number]];
      // Of requests that nobody waits for any more the core is not told.
      if (answering!.answer(id, isDeclined ? undefined : value + 2)) return;
    }
  }

  push(value: number, to: Asker | undefined): void {
    this.#lives.get("b")!.answering!.push(value, to);
  }

  stall(name: Asker, stalled: boolean): void {
    if (stalled) this.#stalled.add(name);
    else this.#stalled.delete(name);
  }

  elapse(ms: number): void {
    this.#nowMs += ms;
  }

  restart(service: Service): void {
    this.#lives.get(service)!.ports.dispose();
    this.#stalled.delete(service);
    this.#start(service);
  }

  forgeToAnswerer(name: Asker, how: AskerForgery): void {
    this.#ends.get(name)!.asking.post(forged(how));
  }

  forgeToAsker(name: Asker, how: AnswererForgery): void {
    if (this.#stalled.has(name)) return;
    const [oldest] = this.#lives.get(name)!.waiting;
    const message = how === "flood" ? floodOfPushes() : forged(how, oldest);
    this.#ends.get(name)!.answering.post(message);
  }

  /** Everybody who is not stalled has turns until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      let heard = 0;
      for (const name of [...ASKERS, "b"] as const) {
        if (this.#stalled.has(name)) continue;
        const { ports } = this.#lives.get(name)!;
        heard += ports.serve(this.#clock.now(), nowhere);
        if (ports.nextUs <= this.#clock.now()) {
          ports.expire(this.#clock.now(), nowhere);
        }
        ports.flush(this.#clock.now());
      }
      if (round > 1 && heard === 0) return;
    }
    throw new Error("ports: they do not come to rest");
  }

  /** What a service has heard, and counted. */
  seen(service: Service): { log: readonly string[]; counts: Counts } {
    const { log, ports } = this.#lives.get(service)!;
    return { log, counts: ports.counters()[0]!.counters };
  }
}

function floodOfPushes(): ArrayBuffer {
  const writer = new MessageWriter();
  for (let i = 0; i < FLOOD; i++) writer.add(RECORD.push, 0, u16, 3);
  return writer.take(0);
}

function forged(
  how: AskerForgery | AnswererForgery,
  number = NOBODYS,
): ArrayBuffer {
  const writer = new MessageWriter();
  switch (how) {
    case "garbage":
      return new ArrayBuffer(1);
    case "torn": {
      writer.add(RECORD.answer, number, u16, 1);
      return writer.take(0).slice(0, 13);
    }
    case "wrong-kind":
      writer.addEmpty(9, number);
      break;
    case "unasked":
      writer.addEmpty(RECORD.declined, NOBODYS);
      break;
    case "bad-body":
      writer.addEmpty(RECORD.request, NOBODYS);
      break;
    case "bad-answer":
      writer.addEmpty(RECORD.answer, number);
      break;
    case "lie":
      writer.add(RECORD.answer, number, u16, FORGED_ANSWER);
      break;
    case "flood":
      for (let i = 0; i < FLOOD; i++) {
        writer.add(RECORD.request, NOBODYS + i, u16, 3);
      }
  }
  return writer.take(0);
}
