/**
 * From the merged tree to what is left to compute, in terms that one machine
 * instruction or a few can do. Headers come apart into where they end, their
 * fragment bits and their protocol, so that `udp` and `tcp` share the first two;
 * a grant's tree goes on right behind the grant's own tests; and what those have
 * found out already is not asked again.
 */

import type { Field } from "../tree/atom.ts";
import type { Accept, Branch, TreeNode } from "../tree/node.ts";
import { inlinedAccepts } from "./inlined_accepts.ts";
import type {
  BytesSource,
  Plan,
  PlanBranch,
  PlanNode,
  ProtocolSource,
  Source,
} from "./plan.ts";

/** Plans a whole tree. */
export function planTree(tree: TreeNode): Plan {
  const planner = new Planner(inlinedAccepts(tree));
  const main = planner.node(tree, 0, undefined);
  const functions = new Map<Accept, PlanNode>();
  for (const accept of planner.functions) {
    functions.set(accept, planner.decide(accept, undefined));
  }
  return { main, functions };
}

/** What is known on the way to a node, newest first. */
interface Facts {
  readonly key: string;
  readonly value: number;
  readonly before: Facts | undefined;
}

function known(facts: Facts | undefined, key: string): number | undefined {
  for (let fact = facts; fact !== undefined; fact = fact.before) {
    if (fact.key === key) return fact.value;
  }
  return undefined;
}

type HeaderBranch = Extract<Branch, { kind: "header" }>;

class Planner {
  /** Grants that became functions; it grows while they are planned. */
  readonly functions: Set<Accept> = new Set();
  readonly #inlined: ReadonlySet<Accept>;
  #bases = 0;

  constructor(inlined: ReadonlySet<Accept>) {
    this.#inlined = inlined;
  }

  node(tree: TreeNode, base: number, facts: Facts | undefined): PlanNode {
    const branches: PlanBranch[] = [];
    const headers = new Map<string, HeaderBranch[]>();
    for (const branch of tree.branches) {
      if (branch.kind !== "header") {
        branches.push(...this.#branch(branch, base, facts));
        continue;
      }
      const key = `${branch.atom.op} ${base} ${branch.atom.offset}`;
      const group = headers.get(key);
      if (group === undefined) headers.set(key, [branch]);
      else group.push(branch);
    }
    for (const [key, group] of headers) {
      branches.push(...this.#headers(key, group, { base, facts }));
    }
    return this.#closed(branches, tree.accept, facts);
  }

  /** What happens once a grant's own tests have passed. */
  decide(accept: Accept, facts: Facts | undefined): PlanNode {
    const { children, residual, slot } = accept;
    if (residual !== undefined) {
      return { branches: [], end: { slot, residual } };
    }
    if (children === undefined) return { branches: [], end: { slot } };
    const node = this.node(children, 0, facts);
    return node.end === undefined ? { ...node, end: { slot } } : node;
  }

  /** `branches`, then the decision of `accept` where there is one. */
  #closed(
    branches: PlanBranch[],
    accept: Accept | undefined,
    facts: Facts | undefined,
  ): PlanNode {
    if (accept === undefined) return { branches };
    const last = this.#accept(accept, facts);
    return { ...last, branches: [...branches, ...last.branches] };
  }

  #accept(accept: Accept, facts: Facts | undefined): PlanNode {
    if (accept.children === undefined || this.#inlined.has(accept)) {
      return this.decide(accept, facts);
    }
    this.functions.add(accept);
    return { branches: [], end: { call: accept } };
  }

  #branch(
    branch: Exclude<Branch, HeaderBranch>,
    base: number,
    facts: Facts | undefined,
  ): readonly PlanBranch[] {
    switch (branch.kind) {
      case "switch": {
        const source = bytesOf(branch, base);
        return switchOn(
          source,
          branch.cases.map(({ value, then }) => ({
            value,
            then: (after) => this.node(then, base, after),
          })),
          facts,
        );
      }
      case "range": {
        const source = bytesOf(branch, base);
        const then = this.node(branch.then, base, facts);
        return rangeOf(source, { ...branch, then }, facts);
      }
      case "flows": {
        const fields = branch.fields.map((field) => bytesOf(field, base));
        const entries = branch.entries.map(({ key, accept }) => ({
          key,
          then: this.#accept(accept, facts),
        }));
        return [{ kind: "flows", origin: branch, fields, entries }];
      }
    }
  }

  /** Headers of one version at one place: found once, then told apart. */
  #headers(
    key: string,
    group: readonly HeaderBranch[],
    at: { readonly base: number; readonly facts: Facts | undefined },
  ): readonly PlanBranch[] {
    const { op, offset } = group[0]!.atom;
    const found = known(at.facts, key);
    const into = found ?? ++this.#bases;
    const facts: Facts = { key, value: into, before: at.facts };
    const branches = op === "ipv4"
      ? this.#ipv4(group, { kind: "bytes", base: at.base, offset }, into, facts)
      : this.#ipv6(group, into, facts);
    const then = joined(branches);
    if (isDead(then)) return [];
    if (found === undefined) {
      return [{ kind: op, base: at.base, offset, into, then }];
    }
    return always(then);
  }

  #ipv4(
    group: readonly HeaderBranch[],
    start: {
      readonly kind: "bytes";
      readonly base: number;
      readonly offset: number;
    },
    into: number,
    facts: Facts,
  ): PlanNode[] {
    const bits: BytesSource = {
      ...start,
      offset: start.offset + 6,
      width: 2,
      mask: 0x3fff,
    };
    const protocol: BytesSource = {
      ...start,
      offset: start.offset + 9,
      width: 1,
      mask: 0xff,
    };
    const of = (fragment: string, after: Facts) =>
      this.#protocols(
        group.filter((one) => one.atom.fragment === fragment),
        { source: protocol, flag: 0, into },
        after,
      );
    const nodes = [of("any", facts)];
    const whole = switchOn(bits, [{
      value: 0,
      then: (after) => of("whole", after ?? facts),
    }], facts);
    const parts = { low: 1, high: 0x3fff, then: of("fragment", facts) };
    nodes.push({ branches: whole });
    nodes.push({ branches: rangeOf(bits, parts, facts) });
    return nodes;
  }

  #ipv6(
    group: readonly HeaderBranch[],
    into: number,
    facts: Facts,
  ): PlanNode[] {
    const [any, whole, parts] = (["any", "whole", "fragment"] as const).map(
      (fragment) => group.filter((one) => one.atom.fragment === fragment),
    );
    const exact: ProtocolSource = { kind: "protocol", base: into, mask: 0x1ff };
    const last: ProtocolSource = { ...exact, mask: 0xff };
    const flag: ProtocolSource = { ...exact, mask: 0x100 };
    const withFlag = (some: readonly HeaderBranch[], value: number) => {
      const asked = some.filter((one) => one.atom.protocol !== undefined);
      const open = some.filter((one) => one.atom.protocol === undefined);
      const at = { source: exact, flag: value, into };
      const node = this.#protocols(asked, at, facts);
      const free = switchOn(flag, [{
        value,
        then: (after) =>
          this.#protocols(open, { ...at, source: flag }, after ?? facts),
      }], facts);
      return [node, { branches: free }];
    };
    return [
      this.#protocols(any!, { source: last, flag: 0, into }, facts),
      ...withFlag(whole!, 0),
      ...withFlag(parts!, 0x100),
    ];
  }

  /** Headers that differ in their protocol only, or ask for none. */
  #protocols(
    group: readonly HeaderBranch[],
    at: {
      readonly source: Source;
      readonly flag: number;
      readonly into: number;
    },
    facts: Facts,
  ): PlanNode {
    const asked = group.filter((one) => one.atom.protocol !== undefined);
    const cases = asked.map(({ atom, then }) => ({
      value: atom.protocol! | at.flag,
      then: (after: Facts | undefined) => this.node(then, at.into, after),
    }));
    const branches = switchOn(at.source, cases, facts);
    const open = group.filter((one) => one.atom.protocol === undefined)
      .map((one) => this.node(one.then, at.into, facts));
    return joined([{ branches }, ...open]);
  }
}

/** One node that tries these in turn. The order of siblings is free: those without an end go first. */
function joined(nodes: readonly PlanNode[]): PlanNode {
  const branches = nodes.flatMap((node) => node.branches);
  const end = nodes.find((node) => node.end !== undefined)?.end;
  return end === undefined ? { branches } : { branches, end };
}

/** What always leads on to `then`: its branches, or a switch on nothing. */
function always(then: PlanNode): readonly PlanBranch[] {
  if (then.end === undefined) return then.branches;
  const source: ProtocolSource = { kind: "protocol", base: 0, mask: 0 };
  return [{ kind: "switch", source, cases: [{ value: 0, then }] }];
}

/** A range, or what is left of it when the value is known already. */
function rangeOf(
  source: Source,
  range: {
    readonly low: number;
    readonly high: number;
    readonly then: PlanNode;
  },
  facts: Facts | undefined,
): readonly PlanBranch[] {
  const { low, high, then } = range;
  if (isDead(then)) return [];
  const already = known(facts, sourceKey(source));
  if (already === undefined) {
    return [{ kind: "range", source, low, high, then }];
  }
  return already >= low && already <= high ? always(then) : [];
}

/** A switch, or what is left of it when the value is known already. */
function switchOn(
  source: Source,
  cases: readonly {
    readonly value: number;
    readonly then: (facts: Facts | undefined) => PlanNode;
  }[],
  facts: Facts | undefined,
): readonly PlanBranch[] {
  const key = sourceKey(source);
  const already = known(facts, key);
  const planned = cases.filter(({ value }) =>
    already === undefined ? (value & ~source.mask) === 0 : value === already
  ).map(({ value, then }) => ({
    value,
    then: then({ key, value, before: facts }),
  })).filter(({ then }) => !isDead(then));
  if (planned.length === 0) return [];
  if (already !== undefined) return always(planned[0]!.then);
  return [{ kind: "switch", source, cases: planned }];
}

function isDead(node: PlanNode): boolean {
  return node.branches.length === 0 && node.end === undefined;
}

function bytesOf(field: Field, base: number): BytesSource {
  return {
    kind: "bytes",
    base: field.from === "frame" ? 0 : base,
    offset: field.offset,
    width: field.width,
    mask: field.mask,
  };
}

function sourceKey(source: Source): string {
  return source.kind === "bytes"
    ? `${source.base}+${source.offset}:${source.width}&${source.mask}`
    : `protocol ${source.base}&${source.mask}`;
}
