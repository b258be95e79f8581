import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { receiveMessageOnPort } from "node:worker_threads";
import fc from "fast-check";
import {
  fromMessagePort,
  makePipe,
  type Port,
  takeAll,
  type TakeNow,
} from "../../../caps/port/port.ts";
import { testProperty } from "../../property.ts";
import { type FloodStart, GAVE_UP, STOP } from "./port_flooder.ts";
import { MESSAGES } from "./port_sender.ts";

const file = import.meta.url;

interface Letter {
  readonly number: number;
  readonly page?: ArrayBuffer;
}

type Pair = [Port<Letter, Letter>, Port<Letter, Letter>];

function channel(takeNow?: TakeNow): Pair {
  const { port1, port2 } = new MessageChannel();
  const options = takeNow === undefined ? {} : { takeNow };
  return [fromMessagePort(port1, options), fromMessagePort(port2, options)];
}

const forms: readonly [string, () => Pair][] = [
  ["a pipe", () => makePipe<Letter, Letter>()],
  ["a MessagePort", () => channel()],
  [
    "a MessagePort that is drained at once",
    () => channel(receiveMessageOnPort as unknown as TakeNow),
  ],
];

/** Takes `count` messages, however they come. */
async function collect(
  port: Port<Letter, Letter>,
  count: number,
): Promise<Letter[]> {
  const all: Letter[] = [];
  const done = Promise.withResolvers<void>();
  const take = () => {
    for (const message of takeAll(port)) all.push(message);
    if (all.length >= count) done.resolve();
  };
  port.onReady = take;
  take();
  if (count > 0) await done.promise;
  return all;
}

for (const [name, make] of forms) {
  testProperty(
    `${name} delivers everything in order and moves what is transferred`,
    { runs: 30, file },
    fc.asyncProperty(
      fc.array(fc.option(fc.uint8Array({ maxLength: 16 }))),
      async (pages) => {
        const [left, right] = make();
        using _left = left;
        using _right = right;
        pages.forEach((bytes, number) => {
          if (bytes === null) return assert.ok(left.post({ number }));
          const page = bytes.slice().buffer;
          assert.ok(left.post({ number, page }, [page]));
          assert.ok(page.detached);
        });
        const got = await collect(right, pages.length);
        assert.deepEqual(
          got.map(({ number }) => number),
          pages.map((_, i) => i),
        );
        got.forEach(({ page }, i) => {
          const sent = pages[i];
          assert.deepEqual(
            page && [...new Uint8Array(page)],
            sent ? [...sent] : undefined,
          );
        });
      },
    ),
  );

  Deno.test(`${name} takes nothing once this end is closed`, () => {
    const [left, right] = make();
    left[Symbol.dispose]();
    const page = new ArrayBuffer(8);
    assert.equal(left.post({ number: 1, page }, [page]), false);
    assert.ok(!page.detached);
    assert.equal(left.take(), undefined);
    assert.ok(left.closed);
    right[Symbol.dispose]();
  });
}

Deno.test("a pipe refuses what is beyond its bound and leaves the buffers where they are", () => {
  const [left, right] = makePipe<Letter, Letter>({ queueMax: 2 });
  assert.ok(left.post({ number: 0 }));
  assert.ok(left.post({ number: 1 }));
  const page = new ArrayBuffer(8);
  assert.equal(left.post({ number: 2, page }, [page]), false);
  assert.equal(page.byteLength, 8);
  assert.deepEqual(right.take(), { number: 0 });
  assert.ok(left.post({ number: 2, page }, [page]));
});

Deno.test("a pipe whose other end is closed takes nothing more", () => {
  const [left, right] = makePipe<Letter, Letter>();
  right[Symbol.dispose]();
  assert.equal(left.post({ number: 0 }), false);
  assert.ok(left.closed);
});

Deno.test("a pipe clones what it carries: what its sender keeps is its own", () => {
  const [left, right] = makePipe<{ list: number[] }, never>();
  const message = { list: [1] };
  left.post(message);
  message.list.push(2);
  assert.deepEqual(right.take(), { list: [1] });
});

Deno.test("a MessagePort is drained without its event loop by takeNow", () => {
  const [left, right] = channel(receiveMessageOnPort as unknown as TakeNow);
  left.post({ number: 7 });
  assert.deepEqual(right.take(), { number: 7 });
  left[Symbol.dispose]();
  right[Symbol.dispose]();
});

for (const [name, make] of forms) {
  Deno.test(`${name} brings an undefined message as null, and those behind it`, async () => {
    const [left, right] = make() as unknown as Port<unknown, unknown>[];
    for (const message of [undefined, 7, undefined]) left!.post(message);
    const taken = await collect(right as Port<Letter, Letter>, 3);
    assert.deepEqual(taken, [null, 7, null]);
    left![Symbol.dispose]();
    right![Symbol.dispose]();
  });
}

Deno.test("what is taken at once never overtakes what the event loop is about to dispatch", async () => {
  const channel = new MessageChannel();
  const takeNow = receiveMessageOnPort as unknown as TakeNow;
  const port = fromMessagePort<never, number>(channel.port1, { takeNow });
  const sender = new Worker(new URL("./port_sender.ts", import.meta.url), {
    type: "module",
  });
  sender.postMessage(channel.port2, [channel.port2]);
  const arrived: number[] = [];
  // The driver's loop: it returns to the event loop from time to time, and is
  // woken there by timers as well as by the port.
  while (arrived.length < MESSAGES) {
    arrived.push(...takeAll(port));
    await Promise.race([
      new Promise<void>((resolve) => port.onReady = resolve),
      new Promise((resolve) => setTimeout(resolve, 0)),
    ]);
  }
  sender.terminate();
  port[Symbol.dispose]();
  assert.deepEqual(arrived, Array.from({ length: MESSAGES }, (_, i) => i));
});

/**
 * Messages that can be posted and not be read: it says that it is an object of
 * the runtime's own, and not which.
 */
function unreadable(): unknown {
  const { port1, port2 } = new MessageChannel();
  const brand = Object.getOwnPropertySymbols(port1)
    .find(({ description }) => description === "Deno.core.hostObject");
  assert.ok(brand !== undefined, "the runtime marks its objects another way");
  port1.close();
  port2.close();
  return { [brand]: () => undefined };
}

for (const takeNow of [undefined, receiveMessageOnPort as unknown as TakeNow]) {
  const how = takeNow === undefined ? "as an event" : "at once";
  Deno.test(`a message that cannot be read comes as null ${how}, and those behind it`, async () => {
    const channel = new MessageChannel();
    const options = takeNow === undefined ? {} : { takeNow };
    const left = fromMessagePort<unknown, never>(channel.port1);
    const right = fromMessagePort<never, unknown>(channel.port2, options);
    using _left = left;
    using _right = right;
    for (const message of [1, unreadable(), 2, unreadable(), unreadable(), 3]) {
      assert.ok(left.post(message));
    }
    if (takeNow !== undefined) {
      assert.deepEqual([...takeAll(right)], [1, null, 2, null, null, 3]);
      return;
    }
    const taken = await collect(right as unknown as Port<Letter, Letter>, 6);
    assert.deepEqual(taken, [1, null, 2, null, null, 3]);
  });
}

for (const how of ["as events", "at once"]) {
  Deno.test(`a port whose messages come ${how} can be closed while its sender goes on without a pause`, async () => {
    const channel = new MessageChannel();
    const state = new Int32Array(new SharedArrayBuffer(8));
    const flooder = new Worker(new URL("./port_flooder.ts", import.meta.url), {
      type: "module",
    });
    const start: FloodStart = { port: channel.port2, state };
    flooder.postMessage(start, [channel.port2]);
    const takeNow = receiveMessageOnPort as unknown as TakeNow;
    const options = how === "at once" ? { takeNow } : {};
    const port = fromMessagePort<never, unknown>(channel.port1, options);
    if (how === "as events") {
      let events = 0;
      await new Promise<void>((resolve) => {
        port.onReady = () => {
          port.take();
          if (++events < 5000) return;
          port[Symbol.dispose]();
          resolve();
        };
      });
    } else {
      // Somebody waits for an event here, too.
      await delay(0);
      for (let taken = 0; taken < 100;) {
        if (port.take() === undefined) {
          await delay(0);
        } else taken++;
      }
      port[Symbol.dispose]();
    }
    const gaveUp = Atomics.load(state, GAVE_UP);
    Atomics.store(state, STOP, 1);
    flooder.terminate();
    assert.equal(gaveUp, 0);
    assert.equal(port.take(), undefined);
  });
}

Deno.test("what was posted before a port is closed arrives, and its buffers", async () => {
  const [left, right] = channel();
  const letters = [0, 1, 2].map((number) => ({
    number,
    page: new ArrayBuffer(64),
  }));
  for (const letter of letters) left.post(letter, [letter.page]);
  left[Symbol.dispose]();
  const taken = await collect(right, 3);
  assert.deepEqual(taken.map(({ number }) => number), [0, 1, 2]);
  assert.deepEqual(taken.map(({ page }) => page?.byteLength), [64, 64, 64]);
  right[Symbol.dispose]();
});
