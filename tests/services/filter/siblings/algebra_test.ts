/** What two grants have in common is a grant, if it is no longer than one may be. */

import { equal } from "node:assert/strict";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import {
  CONJUNCTIONS_MAX,
  type Grant,
} from "../../../../services/filter/grant/grant.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";

/** So many ports, each by itself. */
function portsOf(count: number, which: "srcPort" | "dstPort"): Grant {
  return Array.from(
    { length: count },
    (_, port) => ipv4().udp()[which](port).grant,
  ).flat();
}

Deno.test(`two grants have at most ${CONJUNCTIONS_MAX} conjunctions in common, and what has more is none`, () => {
  const sources = portsOf(CONJUNCTIONS_MAX / 8, "srcPort");
  const common = (count: number) =>
    grantAlgebra.intersect(sources, portsOf(count, "dstPort"));
  equal(common(8)?.length, CONJUNCTIONS_MAX);
  equal(common(9), undefined);
});
