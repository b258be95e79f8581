/**
 * The WebAssembly backend: one module with the classifier of a merged tree and
 * the checks of all send grants, which runs over packets where they lie.
 *
 * ```
 * 0 classify   1 permit   2 walk IPv6   3 refuse   4 … grants that many ways end in   … residuals   … send grants
 * ```
 */

import { SLOT_NONE } from "../../../caps/memory.ts";
import type { WasmProgram } from "../../../caps/program.ts";
import type { Accept, TreeNode } from "../atom.ts";
import type { Grant } from "../grant.ts";
import { FilterLimitError, mergeTree, SLOT_MAX } from "../tree.ts";
import { batchFunction, subtreeFunction } from "./batch_code.ts";
import { Code } from "./code.ts";
import { encodeModule, type FunctionBody } from "./encoder.ts";
import { ipv6Walk } from "./ip_code.ts";
import { planTree } from "./planner.ts";
import { ResidualFunctions } from "./residual_code.ts";
import { TableSpace } from "./tables.ts";

/** What a service may send: frames that `grant` matches, as `slot`. */
export interface SendGrant {
  /** 1 to `SLOT_MAX`. */
  readonly slot: number;
  /** What it may send. */
  readonly grant: Grant;
}

/** The most bytes of a module's code and tables together. */
export const MODULE_BYTES_MAX = 16 * 1024 * 1024;

const WALK = 2;
const REFUSE = 3;
const FIRST_SHARED = 4;

/**
 * Compiles the classifier of `tree`, with the send grants `sends`, for a memory
 * of `memoryPages` pages of 64 KiB (caps/program.ts, `WasmProgram`).
 *
 * @throws {FilterLimitError} when tables or code would be too large, a slot is
 * out of bounds, or two send grants have one slot.
 */
export function emitWasm(
  tree: TreeNode,
  sends: readonly SendGrant[],
  memoryPages: number,
): WasmProgram {
  const tables = new TableSpace();
  const plan = planTree(tree);
  const shared = new Map<Accept, number>();
  for (const accept of plan.shared.keys()) {
    shared.set(accept, FIRST_SHARED + shared.size);
  }
  const residuals = new ResidualFunctions(plan, FIRST_SHARED + shared.size);
  const context = { tables, walk: WALK, shared, residuals };
  const classify = batchFunction(context, plan.main);
  const subtrees = [...plan.shared.values()].map((node) =>
    subtreeFunction(context, node)
  );
  const permits = new Permits(
    FIRST_SHARED + subtrees.length + residuals.functions.length,
  );
  for (const send of sends) permits.add(send);
  const checks = permits.trees.map((one) =>
    batchFunction(
      { tables, walk: WALK, shared: new Map(), residuals },
      planTree(one).main,
      "permit",
    )
  );
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
      ...checks,
    ],
    exports: { classify: 0, permit: 1 },
    data: tables.segments,
  });
  if (module.length > MODULE_BYTES_MAX) {
    throw new FilterLimitError(
      `filter: the classifier has ${module.length} bytes; at most ${MODULE_BYTES_MAX} are allowed, install fewer grants`,
    );
  }
  return { module, memoryPages };
}

/** Send grants by slot. Equal grants share their code. */
class Permits {
  /** A tree for each different grant; which slot it decides on is of no account. */
  readonly trees: TreeNode[] = [];
  readonly #firstFunction: number;
  readonly #functionOf = new Map<string, number>();
  readonly #bySlot = new Map<number, number>();

  constructor(firstFunction: number) {
    this.#firstFunction = firstFunction;
  }

  add(send: SendGrant): void {
    const { slot, grant } = send;
    if (!Number.isInteger(slot) || slot <= SLOT_NONE || slot > SLOT_MAX) {
      throw new FilterLimitError(
        `filter: send slot ${slot}; expected a whole number from 1 to ${SLOT_MAX}`,
      );
    }
    if (this.#bySlot.has(slot)) {
      throw new FilterLimitError(`filter: two send grants for slot ${slot}`);
    }
    const tree = mergeTree([{ slot: 1, grant, children: [] }]);
    const key = JSON.stringify(tree);
    const known = this.#functionOf.get(key);
    const index = known ?? this.#firstFunction + this.trees.push(tree) - 1;
    this.#functionOf.set(key, index);
    this.#bySlot.set(slot, index);
  }

  /** The function that finds the check of a slot, halving the slots each time. */
  dispatcher(): FunctionBody {
    const code = new Code(3);
    const slots = [...this.#bySlot].sort(([a], [b]) => a - b);
    this.#dispatch(code, slots);
    return {
      type: { parameters: ["i32", "i32", "i32"], results: [] },
      locals: code.locals,
      instructions: code.instructions,
    };
  }

  #dispatch(code: Code, slots: readonly (readonly [number, number])[]): void {
    const [batch, count, slot] = [0, 1, 2];
    const middle = slots.length >>> 1;
    if (slots.length > 1) {
      code.op("local.get", slot).op("i32.const", slots[middle]![0])
        .op("i32.lt_u").open("if");
      this.#dispatch(code, slots.slice(0, middle));
      code.op("else");
      this.#dispatch(code, slots.slice(middle));
      code.close();
      return;
    }
    const only = slots[0];
    if (only !== undefined) {
      code.op("local.get", slot).op("i32.const", only[0]).op("i32.eq")
        .open("if");
      code.op("local.get", batch).op("local.get", count).op("local.get", slot)
        .op("call", only[1]).op("return").close();
    }
    code.op("local.get", batch).op("local.get", count).op("call", REFUSE);
  }
}
