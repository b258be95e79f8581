/** A port that is not read, while its sender goes on. */

import { delay } from "@std/async/delay";
import { equal, ok } from "node:assert/strict";
import { fromMessagePort, makePipe, takeAll } from "../../../caps/port/port.ts";

const UNREAD_MAX = 3;

/** Waits until all that was posted has come as events. */
async function arrival(): Promise<void> {
  for (let i = 0; i < 4; i++) await delay(1);
}

Deno.test("a port holds as many unread messages as it may, and is closed at one more", async () => {
  const { port1, port2 } = new MessageChannel();
  using left = fromMessagePort<number, never>(port1);
  using right = fromMessagePort<never, number>(port2, {
    unreadMax: UNREAD_MAX,
  });
  let ready = 0;
  right.onReady = () => ready++;
  for (let i = 0; i < UNREAD_MAX; i++) ok(left.post(i));
  await arrival();
  equal(ready, 1, "told once, when messages have come to an empty queue");
  equal(right.closed, false);
  equal(right.take(), 0);
  ok(left.post(UNREAD_MAX));
  await arrival();
  equal(right.overrun, false);
  ok(left.post(UNREAD_MAX + 1));
  await arrival();
  equal(right.overrun, true);
  equal(right.closed, true);
  equal(ready, 2, "told of its end");
  equal(right.take(), undefined);
  equal(right.post(undefined as never), false);
});

Deno.test("a port tells of messages again once all were taken", async () => {
  const { port1, port2 } = new MessageChannel();
  using left = fromMessagePort<number, never>(port1);
  using right = fromMessagePort<never, number>(port2);
  const taken: number[] = [];
  right.onReady = () => taken.push(...takeAll(right));
  for (let i = 0; i < 3; i++) {
    ok(left.post(i));
    await arrival();
  }
  equal(taken.join(), "0,1,2");
  equal(right.overrun, false);
});

Deno.test("a pipe tells of messages once they come to an empty queue, and again when all were taken", async () => {
  const [left, right] = makePipe<number, never>();
  let ready = 0;
  right.onReady = () => ready++;
  left.post(1);
  left.post(2);
  await Promise.resolve();
  equal(ready, 1);
  equal(right.take(), 1);
  left.post(3);
  await Promise.resolve();
  equal(ready, 1);
  equal([...takeAll(right)].join(), "2,3");
  left.post(4);
  await Promise.resolve();
  equal(ready, 2);
  right[Symbol.dispose]();
  equal(right.take(), undefined, "what was unread is dropped with the port");
});
