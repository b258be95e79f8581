import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Expiring,
  ExpiryQueue,
} from "../../../caps/kernel/expiry_queue.ts";
import { testProperty } from "../../property.ts";

const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("add" as const), at: fc.nat(60) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("remove" as const),
      pick: fc.nat(1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("take" as const) }) },
);

/** A queue beside a set, from the first entries on. */
class Model {
  readonly #queue = new ExpiryQueue<Expiring>();
  readonly #entries = new Set<Expiring>();

  add(expiresAtUs: number): void {
    const one = { expiresAtUs, queueIndex: -1 };
    this.#queue.add(one);
    this.#entries.add(one);
    this.check();
  }

  /** Removes an entry, wherever it is. */
  remove(pick: number): void {
    const one = [...this.#entries][pick % this.#entries.size];
    if (one === undefined) return;
    this.#queue.remove(one);
    this.#queue.remove(one); // no harm
    this.#entries.delete(one);
    this.check();
  }

  /** Takes the first entry. Returns whether there was one. */
  take(): boolean {
    const { first } = this.#queue;
    if (first === undefined) return false;
    assert.ok(this.#entries.delete(first));
    this.#queue.remove(first);
    this.check();
    return true;
  }

  check(): void {
    const nextUs = Math.min(
      ...[...this.#entries].map(({ expiresAtUs }) => expiresAtUs),
    );
    assert.equal(this.#queue.size, this.#entries.size);
    assert.equal(this.#queue.nextUs, nextUs);
    assert.equal(this.#queue.first?.expiresAtUs ?? Infinity, nextUs);
  }
}

testProperty(
  "whoever expires next is first, whatever came and went before, until the queue is empty",
  { runs: 500, file: import.meta.url },
  fc.property(
    // So many that one entry's ways down differ.
    fc.array(fc.nat(60), { minLength: 8, maxLength: 32 }),
    fc.array(command, { maxLength: 60 }),
    (first, commands) => {
      const model = new Model();
      for (const at of first) model.add(at);
      for (const command of commands) {
        if (command.op === "add") model.add(command.at);
        else if (command.op === "remove") model.remove(command.pick);
        else model.take();
      }
      // What is in a wrong place deep down comes up now.
      while (model.take());
    },
  ),
);

Deno.test("one that is in a queue is not added again", () => {
  const queue = new ExpiryQueue<Expiring>();
  const one = { expiresAtUs: 1, queueIndex: -1 };
  queue.add(one);
  assert.throws(() => queue.add(one), /twice/);
});
