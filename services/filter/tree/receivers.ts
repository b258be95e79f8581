/** What a derivation tree receives in all. */

import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type { Grant } from "../grant/grant.ts";
import type { GrantNode } from "./merge.ts";

/** The grants of the topmost receivers: what is derived from one is within its grant. */
export function receivedGrants(roots: readonly GrantNode[]): Grant[] {
  return roots.flatMap(({ slot, grant, children }) =>
    slot === SLOT_NONE ? receivedGrants(children) : [grant]
  );
}
