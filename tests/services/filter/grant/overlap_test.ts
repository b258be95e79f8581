import assert from "node:assert/strict";
import fc from "fast-check";
import {
  either,
  ethernet,
  ipv4,
  vlan,
} from "../../../../services/filter/grant/builder.ts";
import { matches } from "../../../../services/filter/tree/reference.ts";
import {
  intersect,
  overlaps,
} from "../../../../services/filter/grant/overlap.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { framesFor } from "../../../arbitraries/grant_frames.ts";
import {
  conjunctionArbitrary,
  grantArbitrary,
} from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

testProperty(
  "witness() is a frame of its conjunction",
  { runs: 1000, file: import.meta.url },
  fc.property(conjunctionArbitrary, (conjunction) => {
    const frame = witness(conjunction);
    assert(matches([conjunction], frame, 0, frame.length));
  }),
);

testProperty(
  "intersect() of two conjunctions has a frame that both match, or none exists",
  { runs: 3000, file: import.meta.url },
  fc.property(conjunctionArbitrary, conjunctionArbitrary, (a, b) => {
    const common = intersect(a, b);
    assert.equal(overlaps([a], [b]), common !== undefined);
    if (common === undefined) return;
    const frame = witness(common);
    assert(matches([a], frame, 0, frame.length));
    assert(matches([b], frame, 0, frame.length));
  }),
);

testProperty(
  "overlaps() is true whenever one frame matches both, and matching the intersection is matching both",
  { runs: 1500, file: import.meta.url },
  fc.property(
    fc.tuple(grantArbitrary, grantArbitrary).chain(([a, b]) =>
      fc.tuple(
        fc.constant(a),
        fc.constant(b),
        fc.array(framesFor([a, b]), { minLength: 1, maxLength: 16 }),
      )
    ),
    ([a, b, frames]) => {
      const common = a.flatMap((one) =>
        b.flatMap((two) => intersect(one, two) ?? [])
      );
      for (const frame of frames) {
        const both = matches(a, frame, 0, frame.length) &&
          matches(b, frame, 0, frame.length);
        assert.equal(matches(common, frame, 0, frame.length), both);
        if (both) assert(overlaps(a, b));
      }
    },
  ),
);

Deno.test("overlaps() keeps tagged and untagged frames apart, and addresses alone take both", () => {
  const untagged = ipv4().udp().dstPort(53).grant;
  const tagged = vlan(7).ipv4().udp().dstPort(53).grant;
  assert(!overlaps(untagged, tagged));
  assert(!overlaps(tagged, vlan(8).grant));
  assert(overlaps(tagged, vlan().grant));
  assert(overlaps(tagged, ethernet().src("02:00:00:00:00:01").grant));
  assert(overlaps(either(untagged, tagged), vlan("any").ipv4().grant));
});
