/**
 * Residuals: a function for each different filter text, from a packet's address
 * and length to whether it matches. A module with a single way to a single text
 * has it in place, without a call.
 */

import type { Residual } from "../tree/node.ts";
import { decide } from "../residual/decide.ts";
import type { Program } from "../language/ir.ts";
import { Code } from "./code.ts";
import type { FunctionBody } from "./encoder.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { writeResidual } from "./residual_writer.ts";

/** Where code for a packet is being written. */
interface Place {
  readonly code: Code;
  /** The local with the address of its first byte. */
  readonly start: number;
  /** The local with its length in bytes. */
  readonly length: number;
}

/** The functions of a module's residuals. */
export class ResidualFunctions {
  /** One for each different text, in the order they are met. */
  readonly functions: FunctionBody[] = [];
  readonly #first: number;
  readonly #byProgram = new Map<Program, number>();
  readonly #known = new Map<string, number>();
  readonly #inPlace: boolean;

  /** The first of them becomes function `first` of the module. */
  constructor(plan: Plan, first: number) {
    this.#first = first;
    const residuals = [plan.main, ...plan.functions.values()]
      .flatMap(residualsOf);
    this.#inPlace = residuals.length === 1;
    if (this.#inPlace) return;
    for (const { program } of residuals) this.#add(program);
  }

  /** Leaves the slot on the stack that a packet which came to `end` belongs to. */
  write(
    place: Place,
    end: { readonly slot: number; readonly residual: Residual },
  ): void {
    const { code, start, length } = place;
    const { program, otherwise } = end.residual;
    if (!this.#inPlace) {
      code.op("i32.const", end.slot).op("i32.const", otherwise)
        .op("local.get", start).op("local.get", length)
        .op("call", this.#byProgram.get(program)!).op("select");
      return;
    }
    const done = code.open("block", "i32");
    const rejects = code.open("block");
    const accepts = code.open("block");
    const at = { ...place, accepts, rejects };
    writeResidual(at, decide(program), program.variables);
    code.close().op("i32.const", end.slot).branch("br", done);
    code.close().op("i32.const", otherwise).close();
  }

  #add(program: Program): void {
    if (this.#byProgram.has(program)) return;
    const text = JSON.stringify(program);
    const found = this.#known.get(text);
    const index = found ??
      this.#first + this.functions.push(functionOf(program)) - 1;
    this.#known.set(text, index);
    this.#byProgram.set(program, index);
  }
}

/** Functions that were written before: installing one more filter writes only its own. */
const written = new WeakMap<Program, FunctionBody>();

/** From a packet's address and length to 1 where it matches, or 0. */
function functionOf(program: Program): FunctionBody {
  const known = written.get(program);
  if (known !== undefined) return known;
  const code = new Code(2);
  const [start, length] = [0, 1];
  const rejects = code.open("block");
  const accepts = code.open("block");
  const place = { code, start, length, accepts, rejects };
  writeResidual(place, decide(program), program.variables);
  code.close().op("i32.const", 1).op("return");
  code.close().op("i32.const", 0);
  const body: FunctionBody = {
    type: { parameters: ["i32", "i32"], results: ["i32"] },
    locals: code.locals,
    instructions: code.instructions,
  };
  written.set(program, body);
  return body;
}

/** The residuals that a plan's node comes to, once for each way. */
function residualsOf(node: PlanNode): Residual[] {
  const found: Residual[] = [];
  for (const branch of node.branches) {
    const nodes = branch.kind === "switch"
      ? branch.cases.map((one) => one.then)
      : branch.kind === "flows"
      ? branch.entries.map((one) => one.then)
      : [branch.then];
    for (const next of nodes) found.push(...residualsOf(next));
  }
  if (node.end !== undefined && "residual" in node.end) {
    found.push(node.end.residual);
  }
  return found;
}
