import assert from "node:assert/strict";
import fc from "fast-check";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { overlaps } from "../../../../services/filter/grant/overlap.ts";
import { GrantIndex } from "../../../../services/filter/siblings/grant_index.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { grantsOf } from "../../../arbitraries/grant_frames.ts";
import {
  derivationArbitrary,
  grantArbitrary,
} from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

const file = import.meta.url;

/** Grants that were drawn to collide, and flows of whole trees. */
const grants: fc.Arbitrary<Grant[]> = fc.oneof(
  fc.array(grantArbitrary, { maxLength: 24 }),
  derivationArbitrary.map(grantsOf),
);

testProperty(
  "an index finds an overlap exactly where comparing with each grant does",
  { runs: 400, file },
  fc.property(grants, fc.array(fc.nat(30), { maxLength: 40 }), (some, gone) => {
    const index = new GrantIndex();
    const held: Grant[] = [];
    some.forEach((grant, at) => {
      const clash = held.some((one) => overlaps(one, grant));
      assert.equal(index.overlaps(grant), clash);
      if (clash) return;
      index.add(grant);
      held.push(grant);
      const leaves = gone[at] ?? 99;
      if (leaves >= held.length) return;
      const [left] = held.splice(leaves, 1);
      index.remove(left!);
      assert.equal(
        index.overlaps(left!),
        held.some((one) => overlaps(one, left!)),
      );
    });
  }),
);

Deno.test("an index keeps finding overlaps when it is asked in more ways than it keeps projections", () => {
  const index = new GrantIndex();
  const flow = (port: number) =>
    ipv4().udp().src("10.0.0.1").dst("10.77.0.2").srcPort(port).dstPort(7)
      .grant;
  for (let port = 1; port <= 20; port++) index.add(flow(port));
  for (let round = 0; round < 2; round++) {
    for (let length = 8; length <= 32; length++) {
      const near = ipv4().udp().dst(`10.77.0.2/${length}`).grant;
      const far = ipv4().udp().dst(`11.77.0.2/${length}`).grant;
      assert.ok(index.overlaps(near));
      assert.ok(!index.overlaps(far));
    }
  }
});
