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
  constructor(readonly name: string, readonly answers: boolean) {}
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

Deno.test("nobody is asked before memory has grown; then only the one that does not answer is ended, and once it grows on, the system is told", async () => {
  let bytes = 100 << 20;
  const told: string[] = [];
  const good = new Stub("good", true);
  const silent = new Stub("silent", false);
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good, silent],
    onRunaway: (message) => told.push(message),
  });
  bytes += SERVICE_BYTES_MAX;
  await watch.look();
  assert.equal(good.asked + silent.asked, 0);
  bytes += 1;
  await watch.look();
  assert.equal(good.failure, undefined);
  assert.match(silent.failure!, /grew to 356 MiB, and it did not say/);
  await watch.look();
  assert.deepEqual([good.asked, silent.asked], [1, 1]);
  assert.deepEqual(told, []);
  bytes += SERVICE_BYTES_MAX + 1;
  await watch.look();
  assert.equal(told.length, 1);
  assert.match(told[0]!, /silent was ended and goes on/);
});

Deno.test("memory of the program's own ends no service that answers", async () => {
  let bytes = 0;
  const good = new Stub("good", true);
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good],
    onRunaway: (message) => assert.fail(message),
  });
  for (let i = 0; i < 10; i++) {
    bytes += SERVICE_BYTES_MAX + 1;
    await watch.look();
  }
  assert.equal(good.asked, 10);
  assert.equal(good.failure, undefined);
});

Deno.test("a service that says that it uses too much is ended, and none beside it", async () => {
  let bytes = 0;
  const good = new Stub("good", true);
  const greedy = new Stub("greedy", true);
  greedy.memoryBytes = 400 << 20;
  using watch = new MemoryWatch({
    residentBytes: () => bytes,
    suspects: () => [good, greedy],
    onRunaway: (message) => assert.fail(message),
  });
  bytes += SERVICE_BYTES_MAX + 1;
  await watch.look();
  assert.equal(good.failure, undefined);
  assert.equal(greedy.failure, "it was ended: it used 400 MiB of memory");
});
