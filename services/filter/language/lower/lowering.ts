/** What the lowering passes share: the layout, the options, errors, a budget. */

import { FilterError } from "../error.ts";
import type { Test } from "../ir.ts";
import type { LinkType } from "../../../wire/link_type.ts";
import { REGISTERS_MAX, TESTS_MAX } from "../limits.ts";
import { Layout } from "./layout.ts";

/** The state of one text's lowering. */
export class Lowering {
  /** Where headers lie now. */
  readonly layout: Layout;
  /** The network's mask, or undefined where it is not known. */
  readonly netmask: number | undefined;
  /** Whether loopback headers may be of any system. */
  readonly savefile: boolean;
  readonly #text: string;
  #tests = 0;
  #registers = 0;

  /** Begins with the link type's layout. */
  constructor(
    text: string,
    options: {
      readonly linkType: LinkType;
      readonly netmask?: number;
      readonly savefile?: boolean;
    },
  ) {
    this.#text = text;
    this.layout = new Layout(options.linkType);
    this.netmask = options.netmask;
    this.savefile = options.savefile ?? false;
  }

  /** What to throw for a problem that begins at `column`. */
  error(column: number, problem: string, expected = ""): FilterError {
    return new FilterError(problem, { text: this.#text, column, expected });
  }

  /** Counts a primitive's comparisons; an error beyond TESTS_MAX. */
  count(test: Test, column: number): void {
    this.#tests += comparisons(test);
    if (this.#tests <= TESTS_MAX) return;
    throw this.error(
      column,
      `the filter has become more than ${TESTS_MAX} comparisons`,
      "a shorter one",
    );
  }

  /**
   * Holds results of arithmetic, or lets go of them with a negative number.
   * libpcap has sixteen registers for them and refuses to hold more.
   */
  hold(registers: number, column: number): void {
    this.#registers += registers;
    if (this.#registers <= REGISTERS_MAX) return;
    throw this.error(
      column,
      "too many results to hold at a time",
      `arithmetic that holds at most ${REGISTERS_MAX}`,
    );
  }
}

function comparisons(test: Test): number {
  if (test.kind === "member") return test.numbers.length;
  if (test.kind === "not") return comparisons(test.test);
  if (test.kind !== "and" && test.kind !== "or") return 1;
  let sum = 0;
  for (const part of test.tests) sum += comparisons(part);
  return sum;
}
