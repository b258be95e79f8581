/** Ports as a service's shell and core have them, and neighbours at real MessagePorts that flood, or never read. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { fromMessagePort, makePipe } from "../../../caps/port/port.ts";
import type { Outbox } from "../../../services/core/core.ts";
import {
  ServicePorts,
  unconnectedPorts,
} from "../../../services/core/ports.ts";
import { optional, record, text, u16 } from "../../../services/ports/fields.ts";
import {
  BODY_BYTES_MAX,
  portInterface,
} from "../../../services/ports/interface.ts";
import {
  PUSHES_MAX,
  REQUESTS_MAX,
  UNREAD_MAX,
} from "../../../services/ports/limits.ts";
import { MessageWriter, RECORD } from "../../../services/ports/message.ts";
import { afterEvents } from "../../../services/runtime/event_turn.ts";

const NUMBERS = portInterface({
  name: "numbers",
  request: u16,
  answer: u16,
  push: u16,
});

const nowhere: Outbox = { open: () => undefined, send() {} };

/** Lets all arrive that was posted. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => afterEvents(resolve));
  }
}

/** An end of a channel as a service's shell has it, and the other as somebody else has it. */
function channel() {
  const { port1, port2 } = new MessageChannel();
  const own = fromMessagePort<ArrayBuffer, unknown>(port1, {
    unreadMax: UNREAD_MAX,
    numbered: false,
  });
  return { own, other: port2 };
}

/** A service that answers each number with the next. */
function answerer() {
  const ports = new ServicePorts();
  const askers: string[] = [];
  const end = ports.given.answer(NUMBERS, {
    onRequest: ({ request }) => request + 1,
    onAsker: (from, is) => askers.push(`${from} ${is ? "here" : "gone"}`),
  });
  ports.opened();
  const turn = () => {
    ports.serve(0, nowhere);
    ports.flush(0);
  };
  const counts = () => ports.counters()[0]!.counters;
  return { ports, askers, end, turn, counts };
}

function requests(count: number): ArrayBuffer {
  const writer = new MessageWriter();
  for (let i = 0; i < count; i++) writer.add(RECORD.request, i, u16, i);
  return writer.take(0);
}

Deno.test("an asker with more unread than may be is cut off, and the next one is answered", async () => {
  const { ports, askers, turn, counts } = answerer();
  const [flooding, honest] = [channel(), channel()];
  const answers: unknown[] = [];
  honest.other.onmessage = ({ data }) => answers.push(data);
  ports.connect({
    id: 1,
    side: "answer",
    name: "numbers",
    peer: "flood",
  }, flooding.own);
  ports.connect({
    id: 2,
    side: "answer",
    name: "numbers",
    peer: "honest",
  }, honest.own);
  for (let i = 0; i < 10 * UNREAD_MAX; i++) flooding.other.postMessage(i);
  honest.other.postMessage(requests(1));
  await turns();
  turn();
  await turns();
  strictEqual(answers.length, 1);
  strictEqual(counts()["flooded"], 1);
  deepStrictEqual(askers, ["flood here", "flood gone", "honest here"]);
  honest.other.postMessage(requests(1));
  await turns();
  turn();
  strictEqual(counts()["answered"], 2);
  ports.dispose();
  for (const { other } of [flooding, honest]) other.close();
});

Deno.test("who asks and never reads is answered as often as there are places, and no more", async () => {
  const { ports, turn, counts } = answerer();
  const { own, other } = channel();
  ports.connect({ id: 1, side: "answer", name: "numbers", peer: "x" }, own);
  for (let i = 0; i < REQUESTS_MAX + 10; i++) other.postMessage(requests(1));
  await turns();
  turn();
  strictEqual(counts()["answered"], REQUESTS_MAX);
  strictEqual(counts()["over"], 10);
  ports.dispose();
  other.close();
});

Deno.test("who never reads what is told costs no more than its places", () => {
  const { ports, end, turn, counts } = answerer();
  const { own, other } = channel();
  ports.connect({ id: 1, side: "answer", name: "numbers", peer: "x" }, own);
  for (let i = 0; i < 1000; i++) {
    end.push(i);
    turn();
  }
  strictEqual(counts()["pushes"], PUSHES_MAX);
  strictEqual(counts()["pushes-lost"], 1000 - PUSHES_MAX);
  ports.dispose();
  other.close();
});

Deno.test("an answerer with more unread than may be is cut off, and what was asked gets no answer", async () => {
  const ports = new ServicePorts();
  const heard: unknown[] = [];
  const port = ports.given.ask("numbers", NUMBERS, {
    onAvailable: (is) => void heard.push(is),
  });
  ports.opened();
  const { own, other } = channel();
  ports.connect({ id: 1, side: "ask", name: "numbers", peer: "x" }, own);
  ports.serve(0, nowhere);
  ok(port.ask(1, (answer) => heard.push(answer)));
  ports.flush(0);
  for (let i = 0; i < 10 * UNREAD_MAX; i++) other.postMessage(i);
  await turns();
  ports.serve(0, nowhere);
  deepStrictEqual(heard, [true, undefined, false]);
  strictEqual(port.available, false);
  strictEqual(port.ask(1, () => {}), false);
  ok(ports.counters()[0]!.counters["flooded"]);
  ports.dispose();
  other.close();
});

Deno.test("a message that cannot be read is a strike, and the next one counts", async () => {
  const { ports, turn, counts } = answerer();
  const { own, other } = channel();
  ports.connect({ id: 1, side: "answer", name: "numbers", peer: "x" }, own);
  other.postMessage({ not: "a message" });
  other.postMessage(requests(2));
  await turns();
  turn();
  deepStrictEqual(counts(), { malformed: 1, requests: 2, answered: 2 });
  ports.dispose();
  other.close();
});

Deno.test("ports are opened once, under names that can be, and while the service is made", () => {
  const ports = new ServicePorts();
  ports.given.ask("x", NUMBERS);
  throws(() => ports.given.ask("x", NUMBERS), {
    message: 'ports.ask: "x": it is open already',
  });
  throws(
    () => ports.given.ask("Two words", NUMBERS),
    /ports\.ask: "Two words": expected a name of up to 32/,
  );
  const forged = { ...NUMBERS };
  throws(
    () => ports.given.ask("y", forged),
    /expected an interface that portInterface\(\) made/,
  );
  ports.given.answer(NUMBERS, { onRequest: () => 1 });
  throws(
    () => ports.given.answer(NUMBERS, { onRequest: () => 1 }),
    /ports\.answer: "numbers": it is open already/,
  );
  for (let i = 1; i < 16; i++) ports.given.ask(`p${i}`, NUMBERS);
  throws(() => ports.given.ask("p16", NUMBERS), /there are 16 already/);
  ports.opened();
  throws(
    () => ports.given.ask("z", NUMBERS),
    /ports are opened while the service is made/,
  );
});

Deno.test("a core that is made outside a system asks nobody", () => {
  const port = unconnectedPorts().ask("x", NUMBERS);
  strictEqual(port.available, false);
  strictEqual(port.ask(1, () => {}), false);
});

Deno.test("what is asked, answered or told of another kind is an error of its service, in words", async () => {
  const { ports, end } = answerer();
  const { own, other } = channel();
  ports.connect({ id: 1, side: "answer", name: "numbers", peer: "x" }, own);
  throws(() => end.push(65_536), /whole number from 0 to 65535, got 65536/);
  const asking = new ServicePorts();
  const port = asking.given.ask("numbers", NUMBERS);
  const { own: asks, other: answers } = channel();
  asking.connect({ id: 2, side: "ask", name: "numbers", peer: "x" }, asks);
  throws(() => port.ask(-1, () => {}), /whole number/);
  await turns();
  // It is not asked: it takes no place.
  asking.flush(0);
  deepStrictEqual(asking.counters()[0]!.counters, {});
  for (const end of [ports, asking]) end.dispose();
  for (const end of [other, answers]) end.close();
});

Deno.test("a value that is undefined crosses as one, and is no offence", () => {
  const of = portInterface({
    name: "maybe",
    request: optional(u16),
    answer: u16,
    push: optional(u16),
  });
  const heard: unknown[] = [];
  const [asking, answering] = [new ServicePorts(), new ServicePorts()];
  const port = asking.given.ask("maybe", of, {
    onPush: (push) => void heard.push(push),
  });
  const end = answering.given.answer(of, {
    onRequest: ({ request }) => void heard.push(request),
  });
  const [asks, answers] = makePipe<ArrayBuffer, ArrayBuffer>();
  asking.connect({ id: 1, side: "ask", name: "maybe", peer: "b" }, asks);
  answering.connect(
    { id: 1, side: "answer", name: "maybe", peer: "a" },
    answers,
  );
  for (const value of [undefined, 7]) {
    port.ask(value, () => {});
    end.push(value);
  }
  for (const one of [asking, answering, asking]) {
    one.serve(0, nowhere);
    one.flush(0);
  }
  deepStrictEqual(heard, [undefined, 7, undefined, 7]);
  deepStrictEqual(answering.counters()[0]!.counters, {
    pushes: 2,
    requests: 2,
    declined: 2,
  });
});

Deno.test("an interface that could not cross is refused when it is made", () => {
  const make = (name: string) =>
    portInterface({ name, request: u16, answer: u16 });
  throws(() => make("Big"), /its name is "Big"; expected a name of up to 32/);
  throws(() => make(""), RangeError);
  throws(
    () =>
      portInterface({
        name: "long",
        request: text(BODY_BYTES_MAX),
        answer: u16,
      }),
    /a request takes up to 4098 bytes; expected at most 4096/,
  );
  const fields = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`field-${i}`, u16]),
  );
  throws(
    () =>
      portInterface({ name: "wordy", request: record(fields), answer: u16 }),
    /its fields take \d+ characters to name; expected at most 1000/,
  );
});
