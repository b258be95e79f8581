/**
 * Filter text as instructions: its decisions one behind the other, each a
 * comparison and a jump. What aborts goes where goes what does not match.
 *
 * ```
 * r6  ctx   r7  data   r8  data_end      r0 to r5, r9  scratch
 *
 * r10 - 508  variables, upwards, four bytes of eight each; after them what is
 *            computed while the registers are full: see residual_values.ts
 * ```
 *
 * The meaning is exact for frames of up to FRAME_BYTES_MAX bytes; a load beyond
 * that aborts, as such a frame is larger than a socket takes.
 */

import { type Step, stepsOf } from "../residual/steps.ts";
import type { Compare, Decision } from "../residual/decision.ts";
import { decide, type Decided } from "../residual/decide.ts";
import type { Program } from "../language/ir.ts";
import type { Code } from "./assembler.ts";
import {
  addImm,
  ja,
  jgtReg,
  JUMP,
  jumpImm32,
  jumpReg32,
  movReg,
  R7,
  R8,
  R9,
} from "./instruction.ts";
import {
  FRAME_BYTES_MAX,
  INSTRUCTIONS_MAX,
  ProgramTooLarge,
  PROTOCHAIN_ROUNDS_MAX,
  RESIDUAL_JUMPS_MAX,
} from "./limits.ts";
import { emitEquality } from "./residual_equality.ts";
import { equalityOf } from "../residual/equality.ts";
import { emitProtochain, PROTOCHAIN_ROUNDS } from "./residual_protochain.ts";
import { emitVariables, ValueEmitter } from "./residual_values.ts";

/** The labels that a filter text ends at, and what all texts of a program share. */
export interface ResidualPlace {
  /** Reached by packets that match. */
  readonly accept: string;
  /** Reached by packets that do not match, and where the text aborts. */
  readonly reject: string;
  /** What is left of PROTOCHAIN_ROUNDS_MAX. */
  readonly rounds: { left: number };
}

/** A comparison's jump when it is true, and when it is not. */
const JUMPS = {
  "=": { isTrue: JUMP.JEQ, isFalse: JUMP.JNE },
  ">": { isTrue: JUMP.JGT, isFalse: JUMP.JLE },
} as const;

/**
 * Emits `program`, which always ends at one of the labels of `place`.
 *
 * @throws {ProgramTooLarge} beyond a limit of limits.ts, or of the stack.
 */
export function emitResidual(
  code: Code,
  program: Program,
  place: ResidualPlace,
): void {
  new ResidualEmitter(code, program, place).emit();
}

class ResidualEmitter {
  readonly #code: Code;
  readonly #place: ResidualPlace;
  readonly #decided: Decided;
  readonly #steps: readonly Step[];
  readonly #values: ValueEmitter;
  readonly #labels = new Map<Decision, string>();
  readonly #variables: number;

  constructor(code: Code, program: Program, place: ResidualPlace) {
    this.#code = code;
    this.#place = place;
    this.#variables = program.variables;
    this.#decided = decide(program);
    const { values, root } = this.#decided;
    this.#steps = stepsOf(values, root);
    this.#values = new ValueEmitter(code, values, {
      reject: place.reject,
      variables: program.variables,
    });
  }

  emit(): void {
    const jumpsBefore = this.#code.jumpCount;
    emitVariables(this.#code, this.#variables);
    // Where the text is decided before anything is looked at.
    if (this.#steps.length === 0) this.#go(this.#decided.root);
    this.#steps.forEach((step, index) => {
      this.#code.label(this.#labelOf(step.decision));
      this.#check(step.check);
      this.#step(step.decision, this.#steps[index + 1]?.decision);
      this.#checkLimits(jumpsBefore);
    });
  }

  /** `next` comes behind it. */
  #step(decision: Decision, next: Decision | undefined): void {
    switch (decision.kind) {
      case "compare":
        return this.#compare(decision, next);
      case "assign":
        this.#values.assign(decision.variable, decision.value);
        return this.#go(decision.then);
      case "touch":
        for (const id of decision.values) {
          const { mayAbort } = this.#decided.values.traits(id);
          if (mayAbort) this.#values.value(id);
        }
        return this.#go(decision.then);
      case "protochain":
        this.#place.rounds.left -= PROTOCHAIN_ROUNDS[decision.chain.version];
        return emitProtochain(this.#code, decision.chain, {
          found: this.#labelOf(decision.then),
          missing: this.#labelOf(decision.otherwise),
          reject: this.#place.reject,
        });
      case "end":
        throw new Error("eBPF: an end is no step");
    }
  }

  #checkLimits(jumpsBefore: number): void {
    if (this.#code.jumpCount - jumpsBefore > RESIDUAL_JUMPS_MAX) {
      throw new ProgramTooLarge(
        `a filter text has more than ${RESIDUAL_JUMPS_MAX} jumps`,
      );
    }
    if (this.#code.lineCount > 2 * INSTRUCTIONS_MAX) {
      throw new ProgramTooLarge(
        `it would have more than ${INSTRUCTIONS_MAX} instructions`,
      );
    }
    if (this.#place.rounds.left < 0) {
      throw new ProgramTooLarge(
        `\`protochain\` would walk over more than ${PROTOCHAIN_ROUNDS_MAX} headers`,
      );
    }
  }

  /** Rejects frames shorter than `bytes`. */
  #check(bytes: number): void {
    if (bytes === 0) return;
    const { reject } = this.#place;
    if (bytes > FRAME_BYTES_MAX) this.#code.push(ja(reject));
    else {
      this.#code.push(
        movReg(R9, R7),
        addImm(R9, bytes),
        jgtReg(R9, R8, reject),
      );
    }
  }

  #compare(compare: Compare, next: Decision | undefined): void {
    const { values } = this.#decided;
    // The way that is not next is jumped to.
    const isNext = next === compare.then;
    const target = this.#labelOf(isNext ? compare.otherwise : compare.then);
    const { isTrue, isFalse } = JUMPS[compare.operator];
    const condition = isNext ? isFalse : isTrue;
    const equality = equalityOf(values, compare);
    const wanted = values.constantOf(compare.right);
    if (equality !== undefined) {
      emitEquality(this.#code, this.#values, equality, { condition, target });
    } else if (wanted !== undefined) {
      const left = this.#values.value(compare.left);
      this.#code.push(jumpImm32(condition, left, wanted, target));
    } else {
      const { left, right } = this.#values.pair(compare.left, compare.right);
      this.#code.push(jumpReg32(condition, left, right, target));
    }
    this.#go(isNext ? compare.then : compare.otherwise);
  }

  #go(target: Decision): void {
    this.#code.push(ja(this.#labelOf(target)));
  }

  #labelOf(target: Decision): string {
    if (target.kind === "end") {
      return target.accepts ? this.#place.accept : this.#place.reject;
    }
    let label = this.#labels.get(target);
    if (label === undefined) {
      label = this.#code.fresh("text");
      this.#labels.set(target, label);
    }
    return label;
  }
}
