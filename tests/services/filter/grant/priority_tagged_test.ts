/** Frames with a priority and no VLAN are added to grants of untagged frames, and nothing else is. */

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { checkGrant } from "../../../../services/filter/grant/check.ts";
import { CONJUNCTIONS_MAX } from "../../../../services/filter/grant/grant.ts";
import { withPriorityTagged } from "../../../../services/filter/grant/priority_tagged.ts";
import { grant } from "../../../../services/filter/grant/text/grant_text.ts";
import { matches } from "../../../../services/filter/tree/reference.ts";
import { grantArbitrary } from "../../../arbitraries/grants.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { testProperty } from "../../../property.ts";

/** The frame with a tag. */
function tagged(frame: Uint8Array, type: number, tag: number): Uint8Array {
  return Uint8Array.from([
    ...frame.subarray(0, 12),
    ...[type >>> 8, type & 255, tag >>> 8, tag & 255],
    ...frame.subarray(12),
  ]);
}

const isTag = (frame: Uint8Array): boolean =>
  [0x8100, 0x88a8].includes(frame[12]! << 8 | frame[13]!);

testProperty(
  "a widened grant takes what the grant takes, and the same frames with a tag of VLAN 0",
  { runs: 300, file: import.meta.url },
  fc.property(
    grantArbitrary,
    fc.nat(),
    fc.constantFrom(0x8100, 0x88a8),
    fc.nat(15),
    fc.constantFrom(0, 1, 4095),
    (narrow, which, type, priority, vlan) => {
      const wide = withPriorityTagged(narrow);
      deepEqual(checkGrant(wide), wide);
      const has = (one: typeof narrow, frame: Uint8Array) =>
        matches(one, frame, 0, frame.length);
      const frame = witness(narrow[which % narrow.length]!);
      equal(has(wide, frame), true);
      if (isTag(frame) || wide === narrow) return;
      const other = tagged(frame, type, priority << 12 | vlan);
      equal(has(wide, other), vlan === 0 || has(narrow, other));
    },
  ),
);

Deno.test("a grant that says its tags stays as it is, and so does one without room", () => {
  for (const text of ["vlan", "vlan 7 and ip", "ether host 2:0:0:0:0:1"]) {
    deepEqual(withPriorityTagged(grant(text)), grant(text));
  }
  const many = Array.from(
    { length: CONJUNCTIONS_MAX / 2 + 1 },
    (_, n) => grant(`arp dst host 10.0.0.${n}`)[0]!,
  );
  equal(withPriorityTagged(many), many);
  equal(withPriorityTagged(many.slice(1)).length, CONJUNCTIONS_MAX);
});
