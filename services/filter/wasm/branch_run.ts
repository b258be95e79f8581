/**
 * Straight runs: tests on one way through the plan of which all must pass, so
 * that their order is free, their loads can be joined, and one length check
 * serves all that are read from one place.
 */

import type {
  BytesSource,
  PlanBranch,
  PlanNode,
  ProtocolSource,
  Source,
} from "./plan.ts";

/** A test of a run. */
export type Step = EqualStep | RangeStep | HeaderStep;

/** One comparison. */
export interface EqualStep {
  readonly kind: "equal";
  readonly source: Source;
  readonly value: number;
}

/** Inclusive bounds. */
export interface RangeStep {
  readonly kind: "range";
  readonly source: Source;
  readonly low: number;
  readonly high: number;
}

/** A header that a run finds the end of. */
export interface HeaderStep {
  readonly kind: "ipv4" | "ipv6";
  readonly base: number;
  readonly offset: number;
  readonly into: number;
}

/** Bytes of a header without options and extensions. */
const LEAST_BYTES = { ipv4: 20, ipv6: 40 } as const;

function isHeader(step: Step): step is HeaderStep {
  return step.kind === "ipv4" || step.kind === "ipv6";
}

/** Where a run comes to: several ways on, a table, or a node. */
export type Terminal =
  | Extract<PlanBranch, { kind: "switch" | "flows" }>
  | { readonly kind: "node"; readonly node: PlanNode };

/** A run. */
export interface Run {
  readonly steps: readonly Step[];
  readonly terminal: Terminal;
}

/** The longest run that starts with `branch`. */
export function collectRun(branch: PlanBranch): Run {
  const steps: Step[] = [];
  let at = branch;
  for (;;) {
    let then: PlanNode;
    if (at.kind === "flows") return { steps, terminal: at };
    if (at.kind === "switch") {
      const [only, second] = at.cases;
      if (only === undefined || second !== undefined) {
        return { steps, terminal: at };
      }
      steps.push({ kind: "equal", source: at.source, value: only.value });
      then = only.then;
    } else {
      steps.push(at);
      then = at.then;
    }
    const [next, another] = then.branches;
    if (next === undefined || another !== undefined || then.end !== undefined) {
      return { steps, terminal: { kind: "node", node: then } };
    }
    at = next;
  }
}

/** How many bytes must be there from each base on, for a whole run. */
export function bytesNeeded(run: Run): Map<number, number> {
  const needs = new Map<number, number>();
  const need = (base: number, count: number) =>
    needs.set(base, Math.max(count, needs.get(base) ?? 0));
  const needSource = (source: Source) => {
    if (source.kind === "bytes") {
      need(source.base, source.offset + source.width);
    }
  };
  for (const step of run.steps) {
    if (isHeader(step)) need(step.base, step.offset + LEAST_BYTES[step.kind]);
    else needSource(step.source);
  }
  if (run.terminal.kind === "switch") needSource(run.terminal.source);
  if (run.terminal.kind === "flows") run.terminal.fields.forEach(needSource);
  return needs;
}

/** What a run asks of one base. */
export interface Stage {
  /** The header that the base is the end of; none for bases that were there before. */
  readonly header?: HeaderStep;
  readonly protocols: readonly {
    readonly source: ProtocolSource;
    readonly value: number;
  }[];
  /** Equal comparisons by base. */
  readonly equals: ReadonlyMap<number, readonly Equal[]>;
  readonly ranges: readonly RangeStep[];
}

/** One comparison of bytes. */
export interface Equal {
  readonly source: BytesSource;
  readonly value: number;
}

/** First what can be asked at once, then header by header what its end is needed for. */
export function stagesOf(run: Run): Stage[] {
  const headers = run.steps.filter(isHeader);
  const bases = new Set(headers.map((header) => header.into));
  const first = stageOf(run, (base) => !bases.has(base));
  return [
    first,
    ...headers.map((header) => ({
      header,
      ...stageOf(run, (base) => base === header.into),
    })),
  ];
}

function stageOf(run: Run, has: (base: number) => boolean): Stage {
  const protocols: { source: ProtocolSource; value: number }[] = [];
  const equals = new Map<number, Equal[]>();
  const ranges: RangeStep[] = [];
  const compare = (source: BytesSource, value: number) => {
    if (source.mask === 0) return;
    const list = equals.get(source.base) ?? [];
    list.push({ source, value });
    equals.set(source.base, list);
  };
  for (const step of run.steps) {
    if (isHeader(step)) {
      if (step.kind === "ipv6" && has(step.base)) {
        compare(versionOf(step.base, step.offset), 0x60);
      }
    } else if (!has(step.source.base)) continue;
    else if (step.kind === "range") ranges.push(step);
    else if (step.source.kind === "bytes") compare(step.source, step.value);
    else if (step.source.mask !== 0) {
      protocols.push({ source: step.source, value: step.value });
    }
  }
  return { protocols, equals, ranges };
}

function versionOf(base: number, offset: number): BytesSource {
  return { kind: "bytes", base, offset, width: 1, mask: 0xf0 };
}
