/**
 * Runs a compiled filter text over one packet: the reference that every
 * backend must agree with. It is written to be read, not to be fast.
 */

import { IPV6_EXTENSION, LIBPCAP_EXTENSIONS } from "../../wire/numbers.ts";
import { PROTOCHAIN_STEPS_MAX } from "./limits.ts";
import type {
  Arithmetic,
  Compare,
  Member,
  Program,
  Protochain,
  Test,
  Value,
} from "./ir.ts";

/** What a value or test gives when it rejects the packet at once. */
const ABORT = -1;

/** The packet and the variables. Offsets count from `start`. */
interface State {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
  readonly wireLength: number;
  readonly variables: Uint32Array;
}

/**
 * Whether a program matches the packet `bytes[start .. start + length)`, of
 * which `wireLength` bytes were on the wire.
 */
export function matchesText(
  program: Program,
  bytes: Uint8Array,
  start: number = 0,
  length: number = bytes.length - start,
  wireLength: number = length,
): boolean {
  const variables = new Uint32Array(program.variables);
  const state = { bytes, start, length, wireLength, variables };
  return test(program.test, state) === 1;
}

/** 1, 0 or {@link ABORT}. */
function test(node: Test, state: State): number {
  switch (node.kind) {
    case "always":
      return node.value ? 1 : 0;
    case "compare":
      return compare(node, state);
    case "member":
      return member(node, state);
    case "not": {
      const result = test(node.test, state);
      return result === ABORT ? ABORT : 1 - result;
    }
    case "and":
    case "or": {
      const go = node.kind === "and" ? 1 : 0;
      for (const part of node.tests) {
        const result = test(part, state);
        if (result !== go) return result;
      }
      return go;
    }
    case "assign": {
      const stored = value(node.value, state);
      if (stored === ABORT) return ABORT;
      state.variables[node.variable] = stored;
      return 1;
    }
    case "protochain":
      return protochain(node, state);
  }
}

function compare(node: Compare, state: State): number {
  const left = value(node.left, state);
  const right = value(node.right, state);
  if (left === ABORT || right === ABORT) return ABORT;
  switch (node.operator) {
    case "=":
      return left === right ? 1 : 0;
    case ">":
      return left > right ? 1 : 0;
    case ">=":
      return left >= right ? 1 : 0;
    case "any-bit":
      return (left & right) !== 0 ? 1 : 0;
  }
}

/** By halves: the numbers are sorted. */
function member({ value: looked, numbers }: Member, state: State): number {
  const wanted = value(looked, state);
  if (wanted === ABORT) return ABORT;
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return numbers[low] === wanted ? 1 : 0;
}

/** 0 to 2³² - 1, or {@link ABORT}. */
function value(node: Value, state: State): number {
  switch (node.kind) {
    case "constant":
      return node.value;
    case "length":
      return state.wireLength;
    case "variable":
      return state.variables[node.variable]!;
    case "load": {
      const base = node.base === undefined ? 0 : value(node.base, state);
      return base === ABORT
        ? ABORT
        : load(state, base + node.offset, node.width);
    }
    case "arithmetic": {
      const left = value(node.left, state);
      const right = value(node.right, state);
      if (left === ABORT || right === ABORT) return ABORT;
      return arithmetic(node.operator, left, right);
    }
    case "negate": {
      const operand = value(node.operand, state);
      return operand === ABORT ? ABORT : -operand >>> 0;
    }
  }
}

function load(state: State, offset: number, width: number): number {
  if (offset + width > state.length) return ABORT;
  let result = 0;
  for (let i = 0; i < width; i++) {
    result = result * 256 + state.bytes[state.start + offset + i]!;
  }
  return result;
}

function arithmetic(
  operator: Arithmetic["operator"],
  left: number,
  right: number,
): number {
  switch (operator) {
    case "add":
      return (left + right) >>> 0;
    case "sub":
      return (left - right) >>> 0;
    case "mul":
      return Math.imul(left, right) >>> 0;
    case "div":
      return right === 0 ? ABORT : Math.floor(left / right);
    case "mod":
      return right === 0 ? ABORT : left % right;
    case "and":
      return (left & right) >>> 0;
    case "or":
      return (left | right) >>> 0;
    case "xor":
      return (left ^ right) >>> 0;
    case "lsh":
      return right > 31 ? 0 : (left << right) >>> 0;
    case "rsh":
      return right > 31 ? 0 : left >>> right;
  }
}

const { authentication: AUTHENTICATION } = IPV6_EXTENSION;
const NO_NEXT_HEADER = 59;

function protochain(node: Protochain, state: State): number {
  const { offset, version } = node;
  let protocol = load(state, offset + (version === 4 ? 9 : 6), 1);
  const first = load(state, offset, 1);
  if (protocol === ABORT || first === ABORT) return ABORT;
  let at = version === 4 ? (first & 15) * 4 : 40;
  for (let steps = 0; steps <= PROTOCHAIN_STEPS_MAX; steps++) {
    if (protocol === node.protocol) return 1;
    if (protocol === NO_NEXT_HEADER) return 0;
    const extension = version === 6 && LIBPCAP_EXTENSIONS.includes(protocol);
    if (!extension && protocol !== AUTHENTICATION) return 0;
    protocol = load(state, offset + at, 1);
    const units = load(state, offset + at + 1, 1);
    if (protocol === ABORT || units === ABORT) return ABORT;
    at = extension ? at + (units + 1) * 8 : (units + 2) * 4;
  }
  return ABORT;
}
