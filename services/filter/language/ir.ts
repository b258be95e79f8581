/**
 * What a filter text becomes: a tree of tests over the packet's bytes, with
 * the meaning of the classic BPF program that libpcap 1.10 compiles it to
 * without its optimiser. Backends read this; language/interpret.ts runs it.
 *
 * ```
 * program    = test, over numbered variables that all begin as 0
 * test       = always TRUE|FALSE
 *            | compare (= | > | >= | any-bit) value value
 *            | member value NUMBERS               is one of these
 *            | not test
 *            | and test…      left to right, ends at the first false
 *            | or test…       left to right, ends at the first true
 *            | assign VARIABLE value              stores, and is true
 *            | protochain VERSION OFFSET PROTOCOL
 * value      = constant NUMBER
 *            | length                             of the packet on the wire
 *            | variable VARIABLE
 *            | load WIDTH at OFFSET               absolute
 *            | load WIDTH at value + OFFSET       indirect
 *            | arithmetic OPERATOR value value
 *            | negate value
 * ```
 *
 * **Values** are unsigned, 32 bits; arithmetic wraps. Loads are big-endian. An
 * indirect load's address is the sum without wrapping. Shifts by 32 or more
 * give 0. `any-bit` is true when left and right have a bit in common.
 *
 * **Abort.** A load that ends beyond the captured bytes, and a division or
 * remainder by 0, reject the packet at once: the whole program is false,
 * whatever `not` or `or` stands around. So the order of tests is part of the
 * meaning; of the values within one compare it is not.
 *
 * libpcap's optimiser removes loads whose value decides nothing (`not port 80 or
 * port 80`), so a program that it has been over can match packets too short for
 * those loads. It adds constant indices to the loads' own offsets, which do not
 * wrap: to it `tcp[-1]` is beyond every packet, and not the byte before the TCP
 * header. (And until 2026 it took `X & 0xffffffff != 0` for true.) This is the
 * meaning without it.
 *
 * **Variables** hold offsets behind Geneve and VXLAN. libpcap's registers for them
 * begin with whatever its stack held, which is seen only where the header was not
 * found and a later test looks behind it all the same (`not geneve and ip`).
 *
 * **protochain** looks for PROTOCOL among the headers of the IPv4 or IPv6
 * packet at OFFSET; see {@link Protochain}.
 */

import type { LinkType } from "../../wire/link_type.ts";

/** A compiled filter text. */
export interface Program {
  /** What its packets begin with. */
  readonly linkType: LinkType;
  /** What a packet must be. */
  readonly test: Test;
  /** How many variables there are: 0 to `variables - 1`. */
  readonly variables: number;
}

/** Operators of {@link Arithmetic}; `lsh` and `rsh` are shifts. */
export type Operator =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "and"
  | "or"
  | "xor"
  | "lsh"
  | "rsh";

/** Something that is true or false of a packet, or aborts. */
export type Test =
  | { readonly kind: "always"; readonly value: boolean }
  | Compare
  | Member
  | { readonly kind: "not"; readonly test: Test }
  | { readonly kind: "and" | "or"; readonly tests: readonly Test[] }
  | {
    readonly kind: "assign";
    readonly variable: number;
    readonly value: Value;
  }
  | Protochain;

/** One comparison. */
export interface Compare {
  /** Tells it from other tests. */
  readonly kind: "compare";
  /** Unsigned; `any-bit` is C's `(left & right) != 0`. */
  readonly operator: "=" | ">" | ">=" | "any-bit";
  /** Left of the operator. */
  readonly left: Value;
  /** Right of the operator. */
  readonly right: Value;
}

/** Whether a value is one of many numbers: what a list of addresses becomes. */
export interface Member {
  /** Tells it from other tests. */
  readonly kind: "member";
  /** The value that is looked for. */
  readonly value: Value;
  /** The numbers, each once, the least first. */
  readonly numbers: readonly number[];
}

/**
 * A walk over headers. With P the packet's bytes from `offset` on, A the
 * protocol and X the offset of the next header:
 *
 * ```
 * version 4: A = P[9],  X = 4 * (P[0] & 15)
 * version 6: A = P[6],  X = 40
 * until A is `protocol` or 59 (no next header):
 *   version 6 and A in 0, 43, 44, 60:  A = P[X],  X = X + (P[X + 1] + 1) * 8
 *   A is 51 (authentication):          A = P[X],  X = (P[X + 1] + 2) * 4
 *   else: stop
 * true when A is `protocol`
 * ```
 *
 * That X is not added to after an authentication header, and that a fragment
 * header has a length, is libpcap's. A walk of more than PROTOCHAIN_STEPS_MAX
 * headers aborts.
 */
export interface Protochain {
  /** Tells it from other tests. */
  readonly kind: "protochain";
  /** Which IP header is at `offset`; tests before it have looked. */
  readonly version: 4 | 6;
  /** Bytes from the packet's first to the IP header. */
  readonly offset: number;
  /** The protocol looked for; above 255 there is none. */
  readonly protocol: number;
}

/** A number, 32 bits unsigned. */
export type Value =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "length" }
  | { readonly kind: "variable"; readonly variable: number }
  | Load
  | Arithmetic
  | { readonly kind: "negate"; readonly operand: Value };

/** Bytes of the packet at `offset`, or at `base + offset`. */
export interface Load {
  /** Tells it from other values. */
  readonly kind: "load";
  /** Bytes loaded. */
  readonly width: 1 | 2 | 4;
  /** What `offset` counts from; undefined for the packet's first byte. */
  readonly base: Value | undefined;
  /** 0 to 2³² - 1. */
  readonly offset: number;
}

/** An operator and its operands. */
export interface Arithmetic {
  /** Tells it from other values. */
  readonly kind: "arithmetic";
  /** What is done; a division or remainder by 0 aborts. */
  readonly operator: Operator;
  /** Left of the operator. */
  readonly left: Value;
  /** Right of the operator. */
  readonly right: Value;
}

/** A constant. */
export function constant(value: number): Value {
  return { kind: "constant", value: value >>> 0 };
}

/** An operator's result. */
export function arithmetic(
  operator: Operator,
  left: Value,
  right: Value,
): Value {
  return { kind: "arithmetic", operator, left, right };
}

/** A comparison. */
export function compare(
  left: Value,
  operator: Compare["operator"],
  right: Value | number,
): Test {
  const value = typeof right === "number" ? constant(right) : right;
  return { kind: "compare", operator, left, right: value };
}

/** Whether a value is one of some numbers, which may come in any order and often. */
export function member(value: Value, numbers: readonly number[]): Test {
  const once = [...new Set(numbers)].sort((a, b) => a - b);
  const [only] = once;
  return once.length === 1
    ? compare(value, "=", only!)
    : { kind: "member", value, numbers: once };
}

/** True when all tests are, in order. Conjunctions among them become part of this one. */
export function all(...tests: Test[]): Test {
  return joined("and", tests);
}

/** Any of them, in order. */
export function any(...tests: Test[]): Test {
  return joined("or", tests);
}

/** The opposite of a test. */
export function not(test: Test): Test {
  return { kind: "not", test };
}

/** Every packet, or none. */
export function always(value: boolean): Test {
  return { kind: "always", value };
}

function joined(kind: "and" | "or", tests: Test[]): Test {
  const flat = tests.some((test) => test.kind === kind)
    ? tests.flatMap((test) => test.kind === kind ? test.tests : test)
    : tests;
  return flat.length === 1 ? flat[0]! : { kind, tests: flat };
}
