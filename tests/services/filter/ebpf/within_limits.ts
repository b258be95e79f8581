/** What is drawn beyond a limit of kernel programs is drawn again. */

import fc from "fast-check";
import { ProgramTooLarge } from "../../../../services/filter/ebpf/limits.ts";

/** What `emit` returns; a property whose program is too large is left at once, and another is drawn. */
export function unlessTooLarge<T>(emit: () => T): T {
  try {
    return emit();
  } catch (error) {
    if (!(error instanceof ProgramTooLarge)) throw error;
    fc.pre(false);
    throw error;
  }
}
