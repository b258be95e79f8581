/** Free frames are shared out so that no queue runs dry while others hold many. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { distribute } from "../../../drivers/xdp/distribute.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "distribute() gives all frames away, and only queues below the common level get some",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.nat(5000),
    fc.array(fc.nat(2048), { minLength: 1, maxLength: 64 }),
    (count, held) => {
      const before = Uint32Array.from(held);
      const shares = distribute(
        count,
        before,
        new Uint32Array(held.length).fill(9),
      );
      const sum = shares.reduce((total, share) => total + share, 0);
      assert.equal(sum, count);
      assert.deepEqual(before, Uint32Array.from(held));
      const total = held.reduce((sum, n) => sum + n, count);
      const level = Math.ceil(total / held.length);
      for (const [queue, share] of shares.entries()) {
        assert.ok(share === 0 || held[queue]! + share <= level);
      }
    },
  ),
);
