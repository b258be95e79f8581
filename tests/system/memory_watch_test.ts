/** Memory that grows: who is asked, who is ended, and when it is the system's end. */

import assert from "node:assert/strict";
import {
  MemoryWatch,
  SERVICE_BYTES_MAX,
  type Suspect,
} from "../../services/system/supervision/memory_watch.ts";

/** A service that answers or does not. */
class Stub implements Suspect {
  state = "running";
  mayRunOn = false;
  asked = 0;
  memoryBytes = 0;
  failure: string | undefined;
  constructor(readonly name: string, public answers: boolean) {}
  ask(): Promise<unknown> {
    this.asked++;
    return this.answers ? Promise.resolve() : new Promise(() => {});
  }
  cutOff(reason: string): void {
    this.state = "failed";
    this.mayRunOn = true;
    this.failure = reason;
  }
}

Deno.test("nobody is asked before memory has grown; who does not answer, and again does not, is ended; and then the system is told", async () => {
  let bytes = 100 << 20;
  const told: string[] = [];
  const good = new Stub("good", true);
  const silent = new Stub("silent", false);
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good, silent],
    onRunaway: (message) => told.push(message),
    onUnexplained: (message) => assert.fail(message),
  });
  bytes += SERVICE_BYTES_MAX;
  await watch.look();
  assert.equal(good.asked + silent.asked, 0);
  bytes += 1;
  await watch.look();
  assert.deepEqual([good.failure, silent.failure], [undefined, undefined]);
  await watch.look();
  assert.equal(good.failure, undefined);
  assert.match(silent.failure!, /grew to 356 MiB, and it did not say/);
  await watch.look();
  assert.deepEqual([good.asked, silent.asked], [2, 2]);
  assert.deepEqual(told, []);
  bytes += SERVICE_BYTES_MAX + 1;
  await watch.look();
  assert.equal(told.length, 1);
  assert.match(told[0]!, /silent was ended and goes on/);
});

Deno.test("memory of the program's own, or of a kind that nobody counts, ends no service that answers, and is said", async () => {
  let bytes = 0;
  const told: string[] = [];
  const good = new Stub("good", true);
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good],
    onRunaway: (message) => assert.fail(message),
    onUnexplained: (message) => told.push(message),
  });
  for (let i = 0; i < 10; i++) {
    bytes += SERVICE_BYTES_MAX + 1;
    await watch.look();
  }
  assert.equal(good.asked, 10);
  assert.equal(told.length, 10);
  assert.match(told[9]!, /grown to 2560 MiB, and no service says/);
  assert.equal(good.failure, undefined);
});

Deno.test("a service that says that it uses too much is ended, and none beside it", async () => {
  let bytes = 0;
  const told: string[] = [];
  const good = new Stub("good", true);
  const greedy = new Stub("greedy", true);
  greedy.memoryBytes = 400 << 20;
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good, greedy],
    onRunaway: (message) => assert.fail(message),
    onUnexplained: (message) => told.push(message),
  });
  bytes += SERVICE_BYTES_MAX + 1;
  await watch.look();
  assert.equal(good.failure, undefined);
  assert.equal(greedy.failure, "it was ended: it used 400 MiB of memory");
  assert.deepEqual(told, []);
});

Deno.test("a service that is busy while another takes memory is not blamed for it", async () => {
  let bytes = 0;
  const told: string[] = [];
  const busy = new Stub("busy", false);
  const quiet = new Stub("quiet", true);
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [busy, quiet],
    onRunaway: (message) => assert.fail(message),
    onUnexplained: (message) => told.push(message),
  });
  // Busy at every other look, while what grows is counted for no worker.
  for (let i = 0; i < 6; i++) {
    bytes += SERVICE_BYTES_MAX + 1;
    busy.answers = i % 2 === 1;
    await watch.look();
  }
  assert.equal(told.length, 3);
  // Nor when the other one is found out by what it says.
  for (let i = 0; i < 3; i++) {
    busy.answers = false;
    quiet.state = "running";
    quiet.memoryBytes = 400 << 20;
    bytes += SERVICE_BYTES_MAX + 1;
    await watch.look();
    assert.equal(quiet.state, "failed");
  }
  assert.equal(busy.failure, undefined);
  assert.deepEqual([busy.asked, told.length], [9, 3]);
});
