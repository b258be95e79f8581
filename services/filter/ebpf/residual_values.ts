/**
 * The values of a filter text in registers. Every value is 32 bits, the upper
 * half of its register zero. A value is computed into the first register that is
 * free; of two operands the one that needs more registers comes first
 * (Sethi and Ullman, "The generation of optimal code for arithmetic
 * expressions", 1970), and when there are none left, it waits on the stack.
 */

import type { Value, ValueId, Values } from "../residual/values.ts";
import type { Operator } from "../language/ir.ts";
import type { Code } from "./assembler.ts";
import {
  addImm,
  addReg,
  ALU,
  arithmeticImm32,
  arithmeticReg32,
  jeqImm,
  jgtImm,
  jgtReg,
  jltImm,
  load,
  movImm,
  movReg,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R7,
  R8,
  R9,
  type Register,
  store,
  storeImm,
  subReg,
  toBigEndian,
} from "./instruction.ts";
import { FRAME_BYTES_MAX, ProgramTooLarge } from "./limits.ts";

/** Where values are computed, the first that is free first. */
const POOL: readonly Register[] = [R1, R2, R3, R4, R5, R0];

/** Holds nothing while a value is computed. */
const SCRATCH: Register = R9;

/**
 * Words on the stack, below a flow table's key. They are the upper halves of
 * eight-byte slots: there the verifier takes them for any number, and what
 * comes after is verified once, whatever was stored on the way.
 */
const WORDS_LOW = -508;
const WORDS_MAX = 32;

const OPERATIONS: Readonly<Record<Operator, number>> = {
  add: ALU.ADD,
  sub: ALU.SUB,
  mul: ALU.MUL,
  div: ALU.DIV,
  mod: ALU.MOD,
  and: ALU.AND,
  or: ALU.OR,
  xor: ALU.XOR,
  lsh: ALU.LSH,
  rsh: ALU.RSH,
};

type LoadValue = Extract<Value, { kind: "load" }>;
type ArithmeticValue = Extract<Value, { kind: "arithmetic" }>;

/** Two operands, each in its register. */
export interface Pair {
  /** Left of the operator. */
  readonly left: Register;
  /** Right of the operator. */
  readonly right: Register;
}

/** Sets `count` variables to 0. */
export function emitVariables(code: Code, count: number): void {
  for (let index = 0; index < count; index++) {
    code.push(storeImm(4, R10, wordOffset(index), 0));
  }
}

/** Emits values. */
export class ValueEmitter {
  readonly #code: Code;
  readonly #values: Values;
  readonly #reject: string;
  readonly #needs = new Map<ValueId, number>();
  /** Words of the stack that hold something. */
  #words: number;

  /** What aborts goes to `reject`; the first words of the stack are the variables. */
  constructor(
    code: Code,
    values: Values,
    options: { readonly reject: string; readonly variables: number },
  ) {
    this.#code = code;
    this.#values = values;
    this.#reject = options.reject;
    this.#words = options.variables;
  }

  /** Computes a value. Returns its register. */
  value(id: ValueId): Register {
    this.#into(id, 0);
    return POOL[0]!;
  }

  /** Computes two values. */
  pair(left: ValueId, right: ValueId): Pair {
    return this.#pair(left, right, 0);
  }

  /** Loads bytes in the order that they lie in. Returns their register. */
  raw(id: ValueId): Register {
    const value = this.#values.at(id);
    if (value.kind !== "load") throw new Error("eBPF: expected a load");
    this.#raw(value, 0);
    return POOL[0]!;
  }

  /** Computes a value, and stores it. */
  assign(variable: number, id: ValueId): void {
    const register = this.value(id);
    this.#code.push(store(4, R10, wordOffset(variable), register));
  }

  /** Computes into register `at` of the pool, with that and those after it. */
  #into(id: ValueId, at: number): void {
    const value = this.#values.at(id);
    const register = POOL[at]!;
    switch (value.kind) {
      case "constant":
        this.#code.push(arithmeticImm32(ALU.MOV, register, value.value));
        return;
      case "length":
        this.#code.push(movReg(register, R8), subReg(register, R7));
        return;
      case "variable":
        this.#code.push(load(4, register, R10, wordOffset(value.variable)));
        return;
      case "load":
        this.#raw(value, at);
        if (value.width !== 1) {
          this.#code.push(toBigEndian(register, value.width === 2 ? 16 : 32));
        }
        return;
      case "arithmetic":
        return this.#arithmetic(value, at);
    }
  }

  /** What is not at a constant place is checked here, the rest was before. */
  #raw({ base, offset, width }: LoadValue, at: number): void {
    const register = POOL[at]!;
    if (base === undefined) {
      this.#code.push(load(width, register, R7, offset));
      return;
    }
    this.#into(base, at);
    const end = offset + width;
    // Bounded, so that the verifier follows the sum. That `end` is not beyond
    // the greatest frame was checked with the bytes of the decision.
    this.#code.push(
      jgtImm(register, FRAME_BYTES_MAX - end, this.#reject),
      addReg(register, R7),
      movReg(SCRATCH, register),
      addImm(SCRATCH, end),
      jgtReg(SCRATCH, R8, this.#reject),
      load(width, register, register, offset),
    );
  }

  #arithmetic({ operator, left, right }: ArithmeticValue, at: number): void {
    const operation = OPERATIONS[operator];
    const result = POOL[at]!;
    const constant = this.#values.constantOf(right);
    if (constant !== undefined) {
      this.#into(left, at);
      const isShift = operator === "lsh" || operator === "rsh";
      this.#code.push(
        isShift && constant > 31
          ? movImm(result, 0)
          : arithmeticImm32(operation, result, constant),
      );
      return;
    }
    const operands = this.#pair(left, right, at);
    if (operator === "div" || operator === "mod") {
      this.#code.push(jeqImm(operands.right, 0, this.#reject));
    } else if (operator === "lsh" || operator === "rsh") {
      // Of the count the machine takes five bits; 0 stays 0 however far.
      const small = this.#code.fresh("shift");
      this.#code.push(jltImm(operands.right, 32, small));
      this.#code.push(movImm(operands.left, 0));
      this.#code.label(small);
    }
    this.#code.push(arithmeticReg32(operation, operands.left, operands.right));
    if (operands.left !== result) {
      this.#code.push(movReg(result, operands.left));
    }
  }

  #pair(left: ValueId, right: ValueId, at: number): Pair {
    const isLeftFirst = this.#need(left) >= this.#need(right);
    const [first, second] = isLeftFirst ? [left, right] : [right, left];
    const a = POOL[at]!;
    const b = POOL[at + 1] ?? SCRATCH;
    this.#into(first, at);
    if (at + 1 < POOL.length) this.#into(second, at + 1);
    else {
      const offset = wordOffset(this.#words++);
      this.#code.push(store(4, R10, offset, a));
      this.#into(second, at);
      this.#code.push(movReg(b, a), load(4, a, R10, offset));
      this.#words--;
    }
    return isLeftFirst ? { left: a, right: b } : { left: b, right: a };
  }

  /** How many registers computing a value takes. */
  #need(id: ValueId): number {
    const known = this.#needs.get(id);
    if (known !== undefined) return known;
    const need = this.#needOf(this.#values.at(id));
    this.#needs.set(id, need);
    return need;
  }

  #needOf(value: Value): number {
    if (value.kind === "load" && value.base !== undefined) {
      return this.#need(value.base);
    }
    if (value.kind !== "arithmetic") return 1;
    const left = this.#need(value.left);
    if (this.#values.constantOf(value.right) !== undefined) return left;
    const right = this.#need(value.right);
    return left === right ? left + 1 : Math.max(left, right);
  }
}

/** Where word `index` lies on the stack. */
function wordOffset(index: number): number {
  if (index >= WORDS_MAX) {
    throw new ProgramTooLarge(
      `filter text needs more than ${WORDS_MAX} words of the stack`,
    );
  }
  return WORDS_LOW + 8 * index;
}
