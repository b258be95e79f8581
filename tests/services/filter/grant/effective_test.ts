import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { describeGrant } from "../../../../services/filter/grant/describe.ts";
import { effectiveGrant } from "../../../../services/filter/grant/effective.ts";
import { grant } from "../../../../services/filter/grant/text/grant_text.ts";
import {
  CONJUNCTIONS_MAX,
  type Grant,
} from "../../../../services/filter/grant/grant.ts";
import { matches } from "../../../../services/filter/tree/reference.ts";
import { framesFor } from "../../../arbitraries/grant_frames.ts";
import { grantArbitrary } from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

testProperty(
  "the effective grant matches a frame just when the grant and its limit do",
  { runs: 2000, file: import.meta.url },
  fc.property(
    fc.tuple(grantArbitrary, grantArbitrary).chain(([asked, within]) =>
      fc.tuple(
        fc.constant(asked),
        fc.constant(within),
        framesFor([asked, within]),
      )
    ),
    ([asked, within, frame]) => {
      const whole = [frame, 0, frame.length] as const;
      const effective = effectiveGrant(asked, within);
      ok(effective.length <= CONJUNCTIONS_MAX);
      equal(
        matches(effective, ...whole),
        matches(asked, ...whole) && matches(within, ...whole),
      );
    },
  ),
);

/** The conjunctions, each once. */
function textsOf(grant: Grant): ReadonlySet<string> {
  return new Set(grant.map((one) => JSON.stringify(one)));
}

testProperty(
  "what lies within its limit is left as it was written, but for what it says twice",
  { runs: 200, file: import.meta.url },
  fc.property(grantArbitrary, (asked) => {
    deepEqual(textsOf(effectiveGrant(asked, [...asked])), textsOf(asked));
    deepEqual(textsOf(effectiveGrant(asked, [{}])), textsOf(asked));
  }),
);

Deno.test("who asks for everything has what it may have, and who asks for something else has nothing", () => {
  const within = grant("udp dst port 53");
  equal(
    describeGrant(effectiveGrant([{}], within)),
    describeGrant(within),
  );
  const other = effectiveGrant(grant("tcp dst port 80"), within);
  equal(describeGrant(other), "no frame");
});
