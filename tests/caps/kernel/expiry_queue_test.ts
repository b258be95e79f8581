import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Expiring,
  ExpiryQueue,
} from "../../../caps/kernel/expiry_queue.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "whoever expires next is first, whatever came and went before",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.array(
      fc.oneof(
        fc.record({ op: fc.constant("add" as const), at: fc.nat(30) }),
        fc.record({ op: fc.constant("remove" as const), pick: fc.nat(40) }),
        fc.record({ op: fc.constant("take" as const) }),
      ),
      { maxLength: 100 },
    ),
    (commands) => {
      const queue = new ExpiryQueue<Expiring>();
      const model = new Set<Expiring>();
      for (const command of commands) {
        if (command.op === "add") {
          const one = { expiresAtUs: command.at, queueIndex: -1 };
          queue.add(one);
          model.add(one);
        } else if (command.op === "remove") {
          const one = [...model][command.pick];
          if (one === undefined) continue;
          queue.remove(one);
          queue.remove(one); // no harm
          model.delete(one);
        } else if (queue.first !== undefined) {
          assert.ok(model.delete(queue.first));
          queue.remove(queue.first);
        }
        const times = [...model].map(({ expiresAtUs }) => expiresAtUs);
        assert.equal(queue.size, model.size);
        assert.equal(queue.nextUs, Math.min(...times));
        assert.equal(queue.first?.expiresAtUs ?? Infinity, queue.nextUs);
      }
    },
  ),
);

Deno.test("one that is in a queue is not added again", () => {
  const queue = new ExpiryQueue<Expiring>();
  const one = { expiresAtUs: 1, queueIndex: -1 };
  queue.add(one);
  assert.throws(() => queue.add(one), /twice/);
});
