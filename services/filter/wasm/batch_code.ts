/** Functions: the loop over a batch, and the trees that many ways end in. */

import { BATCH_ARRAY_BYTES } from "../../../caps/memory/memory.ts";
import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type { Accept } from "../tree/node.ts";
import { Code, type Constants } from "./code.ts";
import type { FunctionBody } from "./encoder.ts";
import { writePlan } from "./plan_code.ts";
import type { Writer } from "./writer.ts";
import type { PlanNode } from "./plan.ts";
import type { ResidualFunctions } from "./residual_functions.ts";
import type { TableSpace } from "./table_space.ts";

/** What all functions of a module share. */
export interface ModuleContext {
  readonly tables: TableSpace;
  /** The function that walks over IPv6 extension headers. */
  readonly walk: number;
  /** The functions of shared grants. */
  readonly functions: ReadonlyMap<Accept, number>;
  /** The functions of residuals. */
  readonly residuals: ResidualFunctions;
}

/** Where a batch's arrays lie from its address on (caps/memory/memory.ts, `Batch`). */
const LENGTH_ARRAY = BATCH_ARRAY_BYTES;
const SLOT_ARRAY = 2 * BATCH_ARRAY_BYTES;

/**
 * `classify(batch, count)`: writes the slot of each packet. As a permit,
 * `(batch, count, slot, record)`: writes `slot` where the plan decides at all;
 * the record has the `constants`.
 */
export function batchFunction(
  context: ModuleContext,
  node: PlanNode,
  kind: "classify" | "permit" = "classify",
  constants?: Constants,
): FunctionBody {
  const parameters = kind === "permit" ? 4 : 2;
  const code = new Code(parameters, constants);
  const [batch, count, slot] = [0, 1, 2];
  const last = code.local("i32");
  const start = code.local("i32");
  const length = code.local("i32");
  const end = code.local("i32");
  const skip = code.open("block");
  code.op("local.get", count).op("i32.eqz").branch("br_if", skip);
  code.op("local.get", batch).op("local.get", count).op("i32.const", 2)
    .op("i32.shl").op("i32.add").op("local.set", last);
  const next = code.open("loop");
  code.op("local.get", batch)
    .op("local.get", batch).op("i32.load", 0).op("local.tee", start)
    .op("local.get", batch).op("i32.load", LENGTH_ARRAY)
    .op("local.tee", length).op("i32.add").op("local.set", end);
  writeDecision(
    { ...context, code, start, length, end },
    node,
    kind === "permit" ? slot : undefined,
  );
  code.op("i32.store", SLOT_ARRAY);
  code.op("local.get", batch).op("i32.const", 4).op("i32.add")
    .op("local.tee", batch).op("local.get", last).op("i32.lt_u")
    .branch("br_if", next);
  code.close().close();
  return {
    type: { parameters: new Array(parameters).fill("i32"), results: [] },
    locals: code.locals,
    instructions: code.instructions,
  };
}

/** A function from a frame's address and length to a slot. */
export function subtreeFunction(
  context: ModuleContext,
  node: PlanNode,
): FunctionBody {
  const code = new Code(2);
  const [start, length] = [0, 1];
  const end = code.local("i32");
  code.op("local.get", start).op("local.get", length).op("i32.add")
    .op("local.set", end);
  writeDecision({ ...context, code, start, length, end }, node, undefined);
  return {
    type: { parameters: ["i32", "i32"], results: ["i32"] },
    locals: code.locals,
    instructions: code.instructions,
  };
}

/**
 * Leaves the slot on the stack: what the plan decides on, or the local
 * `instead` where that is given, or 0.
 */
function writeDecision(
  at: ModuleContext & Omit<Writer, "node" | "decide" | "decideValue">,
  node: PlanNode,
  instead: number | undefined,
): void {
  const { code, start, length, functions } = at;
  const done = code.open("block", "i32");
  const writer: Omit<Writer, "node"> = {
    ...at,
    decide(end) {
      if (instead !== undefined) code.op("local.get", instead);
      else if ("residual" in end) {
        at.residuals.write({ code, start, length }, end);
      } else if ("slot" in end) code.op("i32.const", end.slot);
      else {
        code.op("local.get", start).op("local.get", length)
          .op("call", functions.get(end.call)!);
      }
      code.branch("br", done);
    },
    decideValue(local) {
      if (instead !== undefined) code.op("local.get", instead);
      else code.op("local.get", local).op("i32.const", 1).op("i32.sub");
      code.branch("br", done);
    },
  };
  writePlan(writer, node);
  code.op("i32.const", SLOT_NONE).close();
}
