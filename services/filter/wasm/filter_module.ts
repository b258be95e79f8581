/** A module for one filter text, without a grant. */

import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type { WasmProgram } from "../../../caps/driver/program.ts";
import type { Program } from "../language/ir.ts";
import { emitWasm } from "./emit.ts";

/**
 * Compiles one filter text, of any link type, for a memory of `memoryPages`
 * pages of 64 KiB: `classify` gives slot 1 to the packets that match, and slot 0
 * to others.
 *
 * @throws {FilterLimitError} when its code would be too large.
 */
export function compileFilterWasm(
  program: Program,
  memoryPages: number,
): WasmProgram {
  const residual = { program, otherwise: SLOT_NONE };
  const tree = { branches: [], accept: { slot: 1, residual } };
  return emitWasm(tree, [], memoryPages);
}
