/**
 * The WebAssembly backend: one module with the classifier of a merged tree and
 * the checks of all send grants, which runs over packets where they lie.
 *
 * ```
 * 0 classify   1 permit   2 walk IPv6   3 refuse   4 … grants that many ways end in   … residuals   … send grants
 * ```
 */

import type { WasmProgram } from "../../../caps/driver/program.ts";
import type { Accept, TreeNode } from "../tree/node.ts";
import { FilterLimitError } from "../tree/merge.ts";
import { batchFunction, subtreeFunction } from "./batch_code.ts";
import { encodeModule } from "./encoder.ts";
import { ipv6Walk } from "./ip_code.ts";
import { ResidualFunctions } from "./residual_functions.ts";
import { planTree } from "./planner.ts";
import { CheckCache, Permits, type SendGrant } from "./permits.ts";
import { TableSpace } from "./table_space.ts";
import { WasmTables } from "./running_tables.ts";

export type { SendGrant } from "./permits.ts";

/** The most bytes of a module's code and tables together. */
const MODULE_BYTES_MAX = 16 * 1024 * 1024;

const WALK = 2;
const REFUSE = 3;
const FIRST_GRANT_FUNCTION = 4;

/**
 * Compiles the classifier of `tree`, with the send grants `sends`, for a memory
 * of `memoryPages` pages of 64 KiB (caps/driver/program.ts, `WasmProgram`).
 *
 * @throws {FilterLimitError} when tables or code would be too large, a slot is
 * out of bounds, or two send grants have one slot.
 */
export function emitWasm(
  tree: TreeNode,
  sends: readonly SendGrant[],
  memoryPages: number,
): WasmProgram {
  return emitWasmTables(tree, sends, { memoryPages }).program;
}

/** For whom {@link emitWasmTables} compiles. */
export interface WasmOptions {
  readonly memoryPages: number;
  /** What compilations before this one found out. */
  readonly checks?: CheckCache;
}

/** Emits as {@link emitWasm} does, and returns the tables in which flows can come and go later, too. */
export function emitWasmTables(
  tree: TreeNode,
  sends: readonly SendGrant[],
  options: WasmOptions,
): { readonly program: WasmProgram; readonly tables: WasmTables } {
  const { memoryPages, checks = new CheckCache() } = options;
  const tables = new TableSpace();
  const plan = planTree(tree);
  const functions = new Map<Accept, number>();
  for (const accept of plan.functions.keys()) {
    functions.set(accept, FIRST_GRANT_FUNCTION + functions.size);
  }
  const residuals = new ResidualFunctions(
    plan,
    FIRST_GRANT_FUNCTION + functions.size,
  );
  const context = { tables, walk: WALK, functions, residuals };
  const classify = batchFunction(context, plan.main);
  const subtrees = [...plan.functions.values()].map((node) =>
    subtreeFunction(context, node)
  );
  const permits = new Permits(sends, {
    tables,
    checks,
    walk: WALK,
    refuse: REFUSE,
    firstFunction: FIRST_GRANT_FUNCTION + subtrees.length +
      residuals.functions.length,
  });
  const refuse = batchFunction(context, { branches: [] });
  const module = encodeModule({
    memoryPages,
    functions: [
      classify,
      permits.dispatcher(),
      ipv6Walk(),
      refuse,
      ...subtrees,
      ...residuals.functions,
      ...permits.functions,
    ],
    exports: { classify: 0, permit: 1 },
    data: tables.segments,
  });
  if (module.length > MODULE_BYTES_MAX) {
    throw new FilterLimitError(
      `filter: the classifier has ${module.length} bytes; at most ${MODULE_BYTES_MAX} are allowed, install fewer grants`,
    );
  }
  const program = { module, memoryPages };
  return { program, tables: new WasmTables(tables.flows, permits) };
}
