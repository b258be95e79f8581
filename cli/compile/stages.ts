/** What each stage of the filter compiler makes of a text, as text or bytes. */

import { wasmPagesFor } from "../../caps/memory/memory.ts";
import type { TreeNode } from "../../services/filter/tree/node.ts";
import { emitEbpf } from "../../services/filter/ebpf/emit.ts";
import { printEbpf } from "../../services/filter/ebpf/print.ts";
import { type Grant, GrantError } from "../../services/filter/grant/grant.ts";
import { grant as grantOf } from "../../services/filter/grant/text/grant_text.ts";
import { compileTree } from "../../services/filter/language/compile.ts";
import { FilterError } from "../../services/filter/language/error.ts";
import { parse } from "../../services/filter/language/parser.ts";
import {
  printProgram,
  printTree,
} from "../../services/filter/language/print.ts";
import { lowerGrant } from "../../services/filter/tree/lower.ts";
import { printAtoms } from "../../services/filter/tree/print_atoms.ts";
import { printDot } from "../../services/filter/tree/print_dot.ts";
import { printDecisionTree } from "../../services/filter/tree/print_tree.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { emitWasm } from "../../services/filter/wasm/emit.ts";
import { printWasm } from "../../services/filter/wasm/print.ts";
import type { CompilePlan } from "./options.ts";

/** Pages of WebAssembly of a system's packet memory, with as many frames as by default. */
const MEMORY_PAGES = wasmPagesFor(4096);

/** A tag to show: real ones come from a keyed permutation. */
const TAG = { low: 1, high: 0 };

/**
 * What the plan's stage is.
 *
 * @throws {FilterError} where the text is refused.
 * @throws {ProgramTooLarge} for `ebpf` of what is no grant.
 */
export function emitStage(
  plan: CompilePlan,
): string | Uint8Array<ArrayBuffer> {
  const { text, link, stage } = plan;
  const parsed = parse(text);
  if (stage === "ast") return printTree(parsed);
  const program = compileTree(text, parsed, { linkType: link });
  if (stage === "ir") return printProgram(program);
  const grant = readGrant(plan);
  if (stage === "atoms") {
    return grant === undefined
      ? `${printAtoms([[]])}of those\n${printProgram(program)}`
      : printAtoms(lowerGrant(grant));
  }
  const tree: TreeNode = grant === undefined
    ? {
      branches: [],
      accept: { slot: 1, residual: { program, otherwise: 0 } },
    }
    : mergeTree([{ slot: 1, grant, children: [] }]);
  return emitTree(tree, stage);
}

/** The grant that a text is; undefined where it is taken as a filter. */
function readGrant({ text, link, as }: CompilePlan): Grant | undefined {
  if (as === "filter" || link !== "ethernet") return undefined;
  try {
    return grantOf(text);
  } catch (error) {
    const isNone = error instanceof FilterError || error instanceof GrantError;
    if (as === "grant" || !isNone) throw error;
    return undefined;
  }
}

function emitTree(
  tree: TreeNode,
  stage: "tree" | "dot" | "wat" | "wasm" | "ebpf",
): string | Uint8Array<ArrayBuffer> {
  switch (stage) {
    case "tree":
      return printDecisionTree(tree);
    case "dot":
      return printDot(tree);
    case "wat":
      return printWasm(emitWasm(tree, [], MEMORY_PAGES).module);
    case "wasm":
      return emitWasm(tree, [], MEMORY_PAGES).module;
    case "ebpf":
      return printEbpf(emitEbpf(tree, () => TAG, { unclaimed: "kernel" }));
  }
}
