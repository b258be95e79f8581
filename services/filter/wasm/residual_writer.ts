/**
 * Code for a filter text: its decisions one behind the other, each jump a way
 * out of blocks. The graph has no cycles, so every jump goes forward.
 */

import { PACKET_BYTES_MAX, type Step, stepsOf } from "../residual/steps.ts";
import type { Compare, Decision } from "../residual/decision.ts";
import type { Decided } from "../residual/decide.ts";
import type { ValueId } from "../residual/values.ts";
import type { Code, Label } from "./code.ts";
import { writeProtochain } from "./protochain_code.ts";
import { usesOf, writeEqualities } from "./residual_equality.ts";
import { equalityOf } from "../residual/equality.ts";
import {
  type Computed,
  computedOnBoth,
  NOTHING_COMPUTED,
  ValueWriter,
} from "./residual_values.ts";

/** Where the packet is, and where to go. */
export interface ResidualPlace {
  readonly code: Code;
  /** The local with the address of the packet's first byte. */
  readonly start: number;
  /** The local with its length in bytes. */
  readonly length: number;
  readonly accepts: Label;
  readonly rejects: Label;
}

/** Writes a filter text. Its code never falls through. */
export function writeResidual(
  place: ResidualPlace,
  decided: Decided,
  variables: number,
): void {
  new ResidualWriter(place, decided, variables).write();
}

class ResidualWriter {
  readonly #place: ResidualPlace;
  readonly #decided: Decided;
  readonly #steps: readonly Step[];
  readonly #labels = new Map<Decision, Label>();
  readonly #arrivals = new Map<Decision, Computed>();
  readonly #variables: readonly number[];
  readonly #writer: ValueWriter;

  constructor(place: ResidualPlace, decided: Decided, variables: number) {
    const { code } = place;
    const { values, root } = decided;
    this.#place = place;
    this.#decided = decided;
    this.#steps = stepsOf(values, root);
    this.#variables = Array.from(
      { length: variables },
      () => code.local("i32"),
    );
    const uses = usesOf(values, this.#steps);
    this.#writer = new ValueWriter(place, values, uses, this.#variables);
  }

  write(): void {
    const { code } = this.#place;
    const { root } = this.#decided;
    for (const local of this.#variables) {
      code.op("i32.const", 0).op("local.set", local);
    }
    this.#arrivals.set(root, NOTHING_COMPUTED);
    for (const { decision } of this.#steps.slice(1).reverse()) {
      this.#labels.set(decision, code.open("block"));
    }
    if (root.kind === "end") this.#go(root);
    for (let index = 0; index < this.#steps.length;) {
      if (index > 0) code.close();
      index += this.#step(index);
    }
    this.#writer.release();
    for (const local of this.#variables) code.release("i32", local);
  }

  /** Writes the step at `index`, and those after it that it takes along. Returns how many. */
  #step(index: number): number {
    const { decision, check } = this.#steps[index]!;
    const { code } = this.#place;
    this.#writer.computed = this.#arrivals.get(decision)!;
    this.#check(check);
    switch (decision.kind) {
      case "compare":
        return this.#compare(decision, index);
      case "assign": {
        this.#writer.write(decision.value);
        code.op("local.set", this.#variables[decision.variable]!);
        this.#writer.forget(decision.variable);
        break;
      }
      case "touch":
        for (const id of decision.values) {
          if (!this.#decided.values.traits(id).mayAbort) continue;
          this.#writer.write(id);
          code.op("drop");
        }
        break;
      case "protochain":
        writeProtochain(this.#place, decision.chain, {
          found: this.#labelOf(decision.then),
          missing: this.#labelOf(decision.otherwise),
        });
        return 1;
      case "end":
        throw new Error("filter: an end is no step");
    }
    this.#continue(decision.then, index + 1);
    return 1;
  }

  /** Rejects packets shorter than `bytes`. */
  #check(bytes: number): void {
    const { code, length, rejects } = this.#place;
    if (bytes > PACKET_BYTES_MAX) code.branch("br", rejects);
    else if (bytes > 0) {
      code.op("local.get", length).op("i32.const", bytes).op("i32.lt_u")
        .branch("br_if", rejects);
    }
  }

  #compare(compare: Compare, index: number): number {
    const { code } = this.#place;
    const { values } = this.#decided;
    const first = equalityOf(values, compare);
    if (first !== undefined) {
      const run = this.#equalitiesFrom(index);
      const otherwise = this.#label(compare.otherwise);
      writeEqualities(this.#writer, this.#place, run, otherwise);
      this.#arrive(compare.otherwise);
      const last = this.#steps[index + run.length - 1]!.decision as Compare;
      // The blocks of the steps that were taken along.
      for (let taken = 1; taken < run.length; taken++) code.close();
      this.#continue(last.then, index + run.length);
      return run.length;
    }
    this.#writer.write(compare.left);
    if (values.constantOf(compare.right) === 0) code.op("i32.eqz");
    else {
      this.#writer.write(compare.right);
      code.op(compare.operator === "=" ? "i32.eq" : "i32.gt_u");
    }
    if (this.#steps[index + 1]?.decision === compare.then) {
      code.op("i32.eqz").branch("br_if", this.#labelOf(compare.otherwise));
      this.#arrive(compare.then);
    } else {
      code.branch("br_if", this.#labelOf(compare.then));
      this.#continue(compare.otherwise, index + 1);
    }
    return 1;
  }

  /** Equalities in a row that all must hold, so that their order is free. */
  #equalitiesFrom(index: number) {
    const { values } = this.#decided;
    const compare = this.#steps[index]!.decision as Compare;
    const run = [equalityOf(values, compare)!];
    for (let last = compare, at = index + 1;; at++) {
      const next = this.#steps[at];
      if (next === undefined || next.decision.kind !== "compare") return run;
      const { decision, check, ways } = next;
      const equality = equalityOf(values, decision);
      const fits = last.then === decision && ways === 1 && check === 0 &&
        decision.otherwise === compare.otherwise && equality !== undefined;
      if (!fits || !this.#canJoin(run.at(-1)!.load, equality.load)) return run;
      run.push(equality);
      last = decision;
    }
  }

  /** Whether two loads may become one: no place to compute, no local to fill. */
  #canJoin(...loads: readonly ValueId[]): boolean {
    return loads.every((id) => {
      const { mayAbort } = this.#decided.values.traits(id);
      return !mayAbort && !this.#writer.isKept(id);
    });
  }

  /** Goes to `target`; nothing to do where it comes next. */
  #continue(target: Decision, next: number): void {
    if (this.#steps[next]?.decision === target) this.#arrive(target);
    else this.#go(target);
  }

  #go(target: Decision): void {
    this.#place.code.branch("br", this.#labelOf(target));
  }

  #labelOf(target: Decision): Label {
    this.#arrive(target);
    return this.#label(target);
  }

  #label(target: Decision): Label {
    const { accepts, rejects } = this.#place;
    if (target.kind === "end") return target.accepts ? accepts : rejects;
    return this.#labels.get(target)!;
  }

  /** Notes what is computed on one way to `target`. */
  #arrive(target: Decision): void {
    const before = this.#arrivals.get(target);
    const { computed } = this.#writer;
    this.#arrivals.set(
      target,
      before === undefined ? computed : computedOnBoth(before, computed),
    );
  }
}
