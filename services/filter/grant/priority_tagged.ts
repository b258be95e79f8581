/**
 * Frames with a priority and no VLAN: a tag of VLAN 0 (IEEE 802.1Q, clause 6.9.1).
 *
 * A conjunction without `vlan` takes untagged frames alone, so that a flow stays one
 * entry of one table, and a text that a grant is read out of means what libpcap means
 * by it. A host counts both as untagged: what its services hold is widened here.
 */

import { ConjunctionSet } from "./conjunction_set.ts";
import { CONJUNCTIONS_MAX, type Grant } from "./grant.ts";

/**
 * Adds to each conjunction of untagged frames the same one of frames with a tag of
 * VLAN 0. A grant that would have more than {@link CONJUNCTIONS_MAX} conjunctions
 * then is left as it is.
 */
export function withPriorityTagged(grant: Grant): Grant {
  const wide = new ConjunctionSet(grant);
  wide.addAll(
    grant.flatMap(({ vlan, payload, ...addresses }) =>
      vlan === undefined && payload !== undefined
        ? [{ ...addresses, vlan: 0, payload }]
        : []
    ),
  );
  return wide.grant.length <= CONJUNCTIONS_MAX ? wide.grant : grant;
}
