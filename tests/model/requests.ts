/** What holders ask of the filter service, as messages. */

import { given } from "../../caps/kernel/given.ts";
import type { Asked, AskedDelegation } from "./system.ts";
import { grantOf, rightsOf, textOf } from "./universe.ts";

/**
 * A tick of the clock: much longer than all that presenters of void tags wait
 * for their answers in one game.
 */
export const TICK_MS = 60_000;

/** Asks for a narrower capability than the one with this tag. */
export function deriveRequest(from: bigint, asked: Asked): object {
  const { grant, residual, sends, rights, copyBytesMax } = asked;
  const { quotaPages, to, lifetime } = asked;
  return {
    op: "derive",
    from,
    grant: grantOf(grant),
    rights: rightsOf(rights),
    quotaPages,
    to,
    ...(residual === undefined ? {} : { residual: textOf(residual) }),
    ...(sends === undefined ? {} : { sends: grantOf(sends) }),
    ...given({ copyBytesMax }),
    ...lifetimeOf(lifetime),
  };
}

/** Asks for the same capability for another holder. */
export function delegateRequest(
  capability: bigint,
  { to, rights, quotaPages, lifetime }: AskedDelegation,
): object {
  return {
    op: "delegate",
    capability,
    to,
    ...(rights === undefined ? {} : { rights: rightsOf(rights) }),
    ...given({ quotaPages }),
    ...lifetimeOf(lifetime),
  };
}

function lifetimeOf(ticks: number | undefined): { lifetimeMs?: number } {
  return ticks === undefined ? {} : { lifetimeMs: ticks * TICK_MS };
}
