/** Grants as the capability kernel decides about them. */

import type { GrantAlgebra } from "../../../caps/kernel/kernel.ts";
import {
  type Conjunction,
  CONJUNCTIONS_MAX,
  type Grant,
} from "../grant/grant.ts";
import { intersect, overlaps } from "../grant/overlap.ts";
import { GrantIndex } from "./grant_index.ts";

/** The decisions of overlap.ts, for whole grants. */
export const grantAlgebra: GrantAlgebra<Grant> = {
  everything: [{}],
  overlaps,
  intersect: intersectGrants,
  makeIndex: () => new GrantIndex(),
};

/** The frames of both; undefined when they take more conjunctions than a grant may have. */
function intersectGrants(a: Grant, b: Grant): Grant | undefined {
  const both: Conjunction[] = [];
  for (const one of a) {
    for (const two of b) {
      const common = intersect(one, two);
      if (common !== undefined) both.push(common);
    }
  }
  return both.length <= CONJUNCTIONS_MAX ? both : undefined;
}
