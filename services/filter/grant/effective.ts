/** What a capability really has: packets of its grant, within all that it is derived from. */

import { type Conjunction, CONJUNCTIONS_MAX, type Grant } from "./grant.ts";
import { checkGrant } from "./check.ts";
import { intersect } from "./overlap.ts";

/**
 * The packets of `grant` that are among those of `within`, for people to read:
 * what lies within already stays as it was written. What takes too many
 * conjunctions to write down is left as `grant` has it, which then says too much.
 */
export function effectiveGrant(grant: Grant, within: Grant): Grant {
  if (grant === within) return grant;
  const both = new Map<string, Conjunction>();
  for (const one of grant) {
    for (const common of partsWithin(one, within)) {
      both.set(JSON.stringify(common), common);
    }
  }
  return both.size <= CONJUNCTIONS_MAX ? [...both.values()] : grant;
}

/** `one` itself where a single conjunction has all of it; else what each has of it. */
function partsWithin(one: Conjunction, within: Grant): readonly Conjunction[] {
  const parts: Conjunction[] = [];
  const whole = JSON.stringify(one);
  for (const limit of within) {
    const common = intersect(one, limit);
    if (common === undefined) continue;
    // Equal ones come out of the check with their fields in one order.
    const [part] = checkGrant([common]);
    if (JSON.stringify(part) === whole) return [one];
    parts.push(part!);
  }
  return parts;
}
