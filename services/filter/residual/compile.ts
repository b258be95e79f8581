/** The filter text of a capability: what is admitted, and what it becomes. */

import type { CapabilityNode } from "../../../caps/kernel/kernel.ts";
import type { Grant } from "../grant/grant.ts";
import { compileText } from "../language/compile.ts";
import { FilterError } from "../language/error.ts";
import type { Program, Test } from "../language/ir.ts";

/** UTF-16 units in a residual. */
export const RESIDUAL_LENGTH_MAX = 4096;

/** Comparisons in what a residual becomes: each costs its holder's packets time. */
export const RESIDUAL_TESTS_MAX = 512;

/** Walks over headers (`protochain`) in a residual: a packet can make each one long. */
export const RESIDUAL_WALKS_MAX = 2;

/**
 * Compiles a text that a holder sent, of Ethernet frames.
 *
 * @throws {FilterError} when it is no filter, or more than is admitted.
 */
export function compileResidual(text: string): Program {
  const refuse = (problem: string, expected: string) =>
    new FilterError(problem, { text, column: 1, expected });
  if (text.length > RESIDUAL_LENGTH_MAX) {
    throw refuse(
      `the residual has ${text.length} characters`,
      `at most ${RESIDUAL_LENGTH_MAX}`,
    );
  }
  const program = compileText(text, { linkType: "ethernet" });
  const { tests, walks } = sizeOf(program.test);
  if (tests > RESIDUAL_TESTS_MAX) {
    throw refuse(
      `the residual has become ${tests} comparisons`,
      `at most ${RESIDUAL_TESTS_MAX}`,
    );
  }
  if (walks > RESIDUAL_WALKS_MAX) {
    throw refuse(
      `the residual walks over headers in ${walks} places`,
      `at most ${RESIDUAL_WALKS_MAX}`,
    );
  }
  return program;
}

/** Compiled once for each capability: a backend knows a program that it has met by its identity. */
const compiled = new WeakMap<CapabilityNode<Grant>, Program>();

/** The program of a capability's text, or undefined where it has none. */
export function residualOf(node: CapabilityNode<Grant>): Program | undefined {
  if (node.residual === undefined) return undefined;
  const known = compiled.get(node);
  if (known !== undefined) return known;
  const program = compileResidual(node.residual);
  compiled.set(node, program);
  return program;
}

function sizeOf(
  test: Test,
): { readonly tests: number; readonly walks: number } {
  switch (test.kind) {
    case "not":
      return sizeOf(test.test);
    case "and":
    case "or": {
      const parts = test.tests.map(sizeOf);
      return {
        tests: parts.reduce((sum, part) => sum + part.tests, 0),
        walks: parts.reduce((sum, part) => sum + part.walks, 0),
      };
    }
    case "member":
      return { tests: test.numbers.length, walks: 0 };
    case "protochain":
      return { tests: 1, walks: 1 };
    default:
      return { tests: 1, walks: 0 };
  }
}
