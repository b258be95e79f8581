/** A way to break the system, which a model must notice. */

import type { Edit } from "../canary/yard.ts";

/** What is broken, and how. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** A mutation of one text in one file. */
export function mutation(
  name: string,
  file: string,
  from: string,
  to: string,
): Mutation {
  return { name, edits: [{ file, from, to }] };
}
