/** Why a request was refused, in words. */

import type { Refusal, Share } from "../../../caps/kernel/kernel.ts";
import type { FilterReply } from "./messages.ts";

const REFUSAL_WORDS: Readonly<Record<Refusal, string>> = {
  void: "that is no capability of yours",
  right: "the capability does not have that right",
  residual:
    "the capability has filter text of its own, and nothing is derived from such a one; derive from the one that it was derived from",
  overlap:
    "the grant could overlap one that was derived from the same capability before",
  quota: "the capability has not that many pages left",
  closed: "the capability takes no new work",
  full: "the system holds as many capabilities as it may",
  share: "you have made as many capabilities as are left for all others",
  depth: "the capability is as far from the root as one may be",
  invalid: "a field of the request makes no sense",
  complex:
    "the sending grant, met with its parent's, has too many conjunctions",
};

/** The answer that refuses the request `id`; the words are those of the reason by default. */
export function refusal(
  id: number,
  refused: Refusal | "driver",
  message?: string,
): FilterReply {
  return { id, refused, message: message ?? REFUSAL_WORDS[refused as Refusal] };
}

/** The answer that refuses a new capability; `share` is the asker's. */
export function refusalOfNew(
  id: number,
  refused: Refusal,
  { made, free }: Share,
): FilterReply {
  if (refused !== "share") return refusal(id, refused);
  const words =
    `you have made ${made} capabilities, and ${free} are left for ` +
    "all others, which is as much as one holder may have; drop some first";
  return refusal(id, refused, words);
}
