import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { PageQuota } from "../../../drivers/service/page_quota.ts";
import { testProperty } from "../../property.ts";

const steps = fc.array(
  fc.record({
    does: fc.constantFrom("hold", "release", "set", "close"),
    who: fc.nat(2),
    pages: fc.nat(6),
  }),
  { maxLength: 60 },
);

testProperty(
  "what live capabilities may still ask for is the sum of their quotas less what they hold",
  { runs: 300, file: import.meta.url },
  fc.property(steps, (steps) => {
    const entitlements = { pages: 0 };
    const quotas = [10, 4, 0].map((pages) =>
      new PageQuota(pages, entitlements)
    );
    const model = quotas.map((one) => ({ quota: one.quota, closed: false }));
    for (const { does, who, pages } of steps) {
      const one = quotas[who]!;
      const { closed } = model[who]!;
      const before = one.held;
      if (does === "hold") one.hold(pages);
      else if (does === "release") one.release(Math.min(pages, one.held));
      else if (does === "close") {
        one.close();
        model[who]!.closed = true;
      } else {
        one.set(pages);
        // Of a capability that was revoked nobody may ask for anything.
        if (!closed) model[who]!.quota = pages;
      }
      if (does === "hold") equal(one.held, before + pages);
      deepEqual(quotas.map(({ quota }) => quota), model.map((m) => m.quota));
      const entitled = quotas
        .filter((_, i) => !model[i]!.closed)
        .reduce((sum, { quota, held }) => sum + quota - held, 0);
      equal(entitlements.pages, entitled);
    }
  }),
);

Deno.test("the last page of a quota may be held, and not one more", () => {
  const quota = new PageQuota(3, { pages: 0 });
  quota.hold(1);
  equal(quota.mayHold(2), true);
  equal(quota.mayHold(3), false);
  quota.hold(2);
  equal(quota.mayHold(0), true);
  equal(quota.mayHold(1), false);
  quota.release(1);
  equal(quota.mayHold(1), true);
});

Deno.test("what was carved out can be had once everyone above holds no more than it has left", () => {
  const entitlements = { pages: 0 };
  const top = new PageQuota(10, entitlements);
  const middle = new PageQuota(6, entitlements, top);
  const below = new PageQuota(2, entitlements, middle);
  for (const above of [top, middle]) {
    above.hold(above.quota);
    equal(below.mayHold(2), true);
    above.hold(1);
    equal(below.mayHold(1), false);
    above.release(1);
    equal(below.mayHold(2), true);
  }
});
