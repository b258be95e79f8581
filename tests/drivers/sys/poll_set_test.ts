/** Waiting on descriptors without holding up the event loop. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN } from "../../../drivers/sys/abi.ts";
import { closeDescriptor, libc } from "../../../drivers/sys/libc.ts";
import { PollSet } from "../../../drivers/sys/poll_set.ts";
import { testWith } from "../../needs.ts";

/** An eventfd as a descriptor that becomes ready when it is told to. */
class Signal implements Disposable {
  readonly descriptor = libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  raise(): void {
    libc().write(this.descriptor, new BigUint64Array([1n]), 8n);
  }
  lower(): void {
    libc().read(this.descriptor, new BigUint64Array(1), 8n);
  }
  [Symbol.dispose](): void {
    closeDescriptor(this.descriptor);
  }
}

testWith(
  ["linux"],
  "a wait ends when a descriptor is ready, and says which",
  async () => {
    using first = new Signal();
    using second = new Signal();
    using poll = new PollSet([first.descriptor, second.descriptor]);
    const waited = poll.wait(Infinity);
    second.raise();
    await waited;
    assert.equal(poll.returned(0), 0);
    assert.equal(poll.returned(1), POLLIN);
    second.lower();
    first.raise();
    await poll.wait(Infinity);
    assert.equal(poll.returned(0), POLLIN);
    assert.equal(poll.returned(1), 0);
  },
);

testWith(["linux"], "a wait ends after its delay", async () => {
  using signal = new Signal();
  using poll = new PollSet([signal.descriptor]);
  await poll.wait(0);
  await poll.wait(0.5);
  await poll.wait(2);
  assert.equal(poll.returned(0), 0);
});

testWith(
  ["linux"],
  "wake() ends a wait, the next one lasts again, and without one it does nothing",
  async () => {
    using signal = new Signal();
    using poll = new PollSet([signal.descriptor]);
    poll.wake();
    let ended = false;
    const waited = poll.wait(Infinity).then(() => ended = true);
    await delay(10);
    assert.equal(ended, false, "a wake before the wait ended it");
    poll.wake();
    poll.wake();
    await waited;
    ended = false;
    const again = poll.wait(Infinity).then(() => ended = true);
    await delay(10);
    assert.equal(ended, false, "a wake of before ended the next wait");
    poll.wake();
    await again;
  },
);

testWith(["linux"], "a second wait ends the first", async () => {
  using signal = new Signal();
  using poll = new PollSet([signal.descriptor]);
  const first = poll.wait(Infinity);
  const second = poll.wait(Infinity);
  await first;
  signal.raise();
  await second;
});

testWith(
  ["linux"],
  "wake() ends a wait that has not had its turn yet, too, and so does closing",
  async () => {
    using signal = new Signal();
    const poll = new PollSet([signal.descriptor]);
    const woken = [poll.wait(Infinity), poll.wait(Infinity)];
    poll.wake();
    await Promise.all(woken);
    const closed = [poll.pause(Infinity), poll.wait(Infinity)];
    poll[Symbol.dispose]();
    await Promise.all(closed);
  },
);

testWith(
  ["linux"],
  "a wait that was woken before its turn ends with the one before it, and polls nothing",
  async () => {
    using signal = new Signal();
    using poll = new PollSet([signal.descriptor]);
    let ended = false;
    const first = poll.wait(Infinity);
    void poll.wait(Infinity).then(() => ended = true);
    poll.wake();
    await first;
    await delay(0);
    assert.ok(ended, "it waits still");
  },
);

testWith(
  ["linux"],
  "a pause is over in time, whatever is ready",
  async () => {
    using signal = new Signal();
    using poll = new PollSet([signal.descriptor]);
    signal.raise();
    let ended = false;
    const paused = poll.pause(Infinity).then(() => ended = true);
    await delay(10);
    assert.equal(ended, false, "a ready descriptor ended the pause");
    poll.wake();
    await paused;
    await poll.pause(0.2);
    assert.equal(poll.returned(0), 0);
  },
);

testWith(["linux"], "closing ends a wait", async () => {
  using signal = new Signal();
  const poll = new PollSet([signal.descriptor]);
  const waited = poll.wait(Infinity);
  poll[Symbol.dispose]();
  await waited;
});

testWith(
  ["linux"],
  "a wait that closing ends takes nothing from who has its eventfd's number next",
  async () => {
    using signal = new Signal();
    const poll = new PollSet([signal.descriptor]);
    const waited = poll.wait(Infinity);
    poll[Symbol.dispose]();
    using next = new Signal();
    next.raise();
    await waited;
    const count = new BigUint64Array(1);
    assert.equal(libc().read(next.descriptor, count, 8n), 8);
  },
);
