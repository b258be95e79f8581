/**
 * Decides once what is asked again. On the way to a decision something is known
 * of values: what was compared before has been computed, so it cannot abort any
 * more, and leaves an equality or bounds. Where those decide a comparison, it
 * is left out; a decision that is come to with different knowledge is made
 * again for each, as far as a budget allows.
 */

import type { Program } from "../language/ir.ts";
import {
  type Compare,
  type Decision,
  DecisionGraph,
  targetsOf,
  valuesOf,
} from "./decision.ts";
import { ABORTS, type ValueId, type Values } from "./values.ts";

/** Graphs of more decisions are left as they are. */
const DECISIONS_MAX = 1024;

/** Graphs of which decisions times values are more are left as they are, too. */
const PAIRS_MAX = 400_000;

/** How many decisions may be made again, for each that there was. */
const COPIES_MAX = 6;

/** How many facts may be looked at in all, each visit counted as some. */
const FACTS_MAX = 100_000;
const FACTS_PER_VISIT = 8;

/** How many numbers that a value is not are remembered. */
const EXCLUDED_MAX = 16;

/** What is known of a value on a way. */
interface Fact {
  readonly low: number;
  readonly high: number;
  /** Numbers within the bounds that it is not. */
  readonly excluded: readonly number[];
}

type Facts = ReadonlyMap<ValueId, Fact>;

/** A program as a graph, where each decision says something new. */
export interface Decided {
  readonly values: Values;
  readonly root: Decision;
}

/** The graph of a program, with nothing asked twice unless `isPlain` wants the text as it stands. */
export function decide(program: Program, isPlain: boolean = false): Decided {
  const graph = new DecisionGraph();
  const { values } = graph;
  const root = graph.build(program);
  const isLarge = graph.size > DECISIONS_MAX ||
    graph.size * values.size > PAIRS_MAX;
  if (isPlain || isLarge) return { values, root };
  const start = new Map<ValueId, Fact>();
  for (let variable = 0; variable < program.variables; variable++) {
    const id = values.add({ kind: "variable", variable });
    start.set(id, { low: 0, high: 0, excluded: [] });
  }
  return { values, root: new Specialiser(graph, root).visit(root, start) };
}

class Specialiser {
  readonly #graph: DecisionGraph;
  readonly #values: Values;
  /** The values that a decision, and what it leads to, looks at. */
  readonly #looked = new Map<Decision, ReadonlySet<ValueId>>();
  readonly #made = new Map<string, Decision>();
  #copiesLeft: number;
  #factsLeft = FACTS_MAX;

  constructor(graph: DecisionGraph, root: Decision) {
    this.#graph = graph;
    this.#values = graph.values;
    this.#copiesLeft = COPIES_MAX * graph.size;
    this.#look(root);
  }

  visit(decision: Decision, facts: Facts): Decision {
    if (decision.kind === "end") return decision;
    this.#factsLeft -= FACTS_PER_VISIT + facts.size;
    if (this.#factsLeft <= 0) return decision;
    const looked = this.#looked.get(decision)!;
    const useful = [...facts].filter(([id]) => looked.has(id))
      .sort(([a], [b]) => a - b);
    const key = `${decision.id} ${
      useful.map(([id, { low, high, excluded }]) =>
        `${id}:${low}-${high}!${excluded}`
      ).join(" ")
    }`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    if (this.#copiesLeft-- <= 0) return decision;
    const made = this.#remake(decision, new Map(useful));
    this.#made.set(key, made);
    return made;
  }

  #remake(decision: Exclude<Decision, { kind: "end" }>, facts: Facts) {
    const graph = this.#graph;
    const known = (id: ValueId) => knownOf(facts, id);
    switch (decision.kind) {
      case "compare":
        return this.#compare(decision, facts);
      case "protochain":
        return graph.protochain(
          decision.chain,
          this.visit(decision.then, facts),
          this.visit(decision.otherwise, facts),
        );
      case "touch": {
        const folded = decision.values.map((id) =>
          facts.has(id) ? this.#values.constant(0) : this.#fold(id, known)
        );
        if (folded.includes(ABORTS)) return graph.rejected;
        return graph.touch(folded, this.visit(decision.then, facts));
      }
      case "assign": {
        const { variable, then } = decision;
        const value = this.#fold(decision.value, known);
        if (value === ABORTS) return graph.rejected;
        const bit = 1n << BigInt(variable);
        const after = new Map(
          [...facts].filter(([id]) =>
            (this.#values.traits(id).variables & bit) === 0n
          ),
        );
        const stored = this.#values.constantOf(value);
        if (stored !== undefined) {
          const fact = { low: stored, high: stored, excluded: [] };
          after.set(this.#values.add({ kind: "variable", variable }), fact);
        }
        return graph.assign(variable, value, this.visit(then, after));
      }
    }
  }

  #compare(decision: Compare, facts: Facts): Decision {
    const { operator, then, otherwise } = decision;
    const known = (id: ValueId) => knownOf(facts, id);
    const left = this.#fold(decision.left, known);
    const right = this.#fold(decision.right, known);
    if (left === ABORTS || right === ABORTS) return this.#graph.rejected;
    const wanted = this.#values.constantOf(right);
    const fact = this.#factOf(left, facts) ?? facts.get(decision.left);
    if (wanted !== undefined && fact !== undefined) {
      const answer = answerOf(operator, fact, wanted);
      if (answer !== undefined) {
        return this.visit(answer ? then : otherwise, facts);
      }
    }
    const learn = (isTrue: boolean): Facts => {
      if (wanted === undefined) return facts;
      const before = fact ??
        { low: 0, high: this.#values.traits(left).max, excluded: [] };
      const after = learned(operator, before, wanted, isTrue);
      if (after === undefined) return facts;
      return new Map(facts).set(left, after).set(decision.left, after);
    };
    return this.#graph.compare(
      operator,
      { left, right },
      this.visit(then, learn(true)),
      this.visit(otherwise, learn(false)),
    );
  }

  #factOf(id: ValueId, facts: Facts): Fact | undefined {
    const constant = this.#values.constantOf(id);
    if (constant === undefined) return facts.get(id);
    return { low: constant, high: constant, excluded: [] };
  }

  #fold(id: ValueId, known: (id: ValueId) => number | undefined): ValueId {
    return this.#values.fold(id, known);
  }

  /** Which values what follows looks at: knowing others is of no use. */
  #look(root: Decision): ReadonlySet<ValueId> {
    const found = this.#looked.get(root);
    if (found !== undefined) return found;
    const looked = new Set<ValueId>();
    for (const target of targetsOf(root)) {
      for (const id of this.#look(target)) looked.add(id);
    }
    for (const id of valuesOf(root)) this.#parts(id, looked);
    this.#looked.set(root, looked);
    return looked;
  }

  #parts(id: ValueId, into: Set<ValueId>): void {
    if (into.has(id)) return;
    const value = this.#values.at(id);
    if (value.kind === "constant") return;
    into.add(id);
    if (value.kind === "arithmetic") {
      this.#parts(value.left, into);
      this.#parts(value.right, into);
    } else if (value.kind === "load" && value.base !== undefined) {
      this.#parts(value.base, into);
    }
  }
}

function knownOf(facts: Facts, id: ValueId): number | undefined {
  const fact = facts.get(id);
  return fact !== undefined && fact.low === fact.high ? fact.low : undefined;
}

/** Whether a value of which `fact` is known is equal to or greater than `wanted`. */
function answerOf(
  operator: "=" | ">",
  { low, high, excluded }: Fact,
  wanted: number,
): boolean | undefined {
  if (operator === ">") {
    return low > wanted ? true : high <= wanted ? false : undefined;
  }
  if (wanted < low || wanted > high || excluded.includes(wanted)) return false;
  return low === high ? true : undefined;
}

/** What is known after an answer; undefined where it is nothing more. */
function learned(
  operator: "=" | ">",
  { low, high, excluded }: Fact,
  wanted: number,
  isTrue: boolean,
): Fact | undefined {
  if (operator === "=") {
    if (isTrue) return { low: wanted, high: wanted, excluded: [] };
    if (wanted === low) return { low: low + 1, high, excluded };
    if (wanted === high) return { low, high: high - 1, excluded };
    if (excluded.length >= EXCLUDED_MAX) return undefined;
    return { low, high, excluded: [...excluded, wanted].sort((a, b) => a - b) };
  }
  return isTrue
    ? { low: Math.max(low, wanted + 1), high, excluded }
    : { low, high: Math.min(high, wanted), excluded };
}
