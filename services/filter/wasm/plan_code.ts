/** Code for a plan's nodes: blocks that are left when a test fails. */

import type { Label } from "./code.ts";
import { writeIpv4End, writeIpv6End } from "./ip_code.ts";
import {
  typeOf,
  writeNumber,
  writeUnlessEqual,
  writeWindow,
} from "./load_code.ts";
import type { PlanBranch, PlanNode } from "./plan.ts";
import { bytesNeeded, collectRun, type Stage, stagesOf } from "./branch_run.ts";
import { writeFlows, writeSwitch } from "./switch_code.ts";
import { packWindows, windowValue } from "./windows.ts";
import type { Scope, Writer } from "./writer.ts";

/** Writes a function's whole plan; where it falls through, nothing was decided. */
export function writePlan(
  place: Omit<Writer, "node">,
  node: PlanNode,
): void {
  // Handed in, so that switch_code.ts can write its cases' nodes.
  const writer: Writer = {
    ...place,
    node: (node, scope) => writeNode(writer, node, scope),
  };
  writer.node(node, {
    bases: new Map([[0, writer.start]]),
    protocols: new Map(),
    available: new Map([[0, 0]]),
  });
}

function writeNode(writer: Writer, node: PlanNode, scope: Scope): void {
  for (const branch of node.branches) {
    const fail = writer.code.open("block");
    writeBranch(writer, branch, scope, fail);
    writer.code.close();
  }
  if (node.end !== undefined) writer.decide(node.end);
}

/** Writes a run and what it comes to. It falls through, or leaves for `fail`. */
function writeBranch(
  writer: Writer,
  branch: PlanBranch,
  outer: Scope,
  fail: Label,
): void {
  const { code } = writer;
  const run = collectRun(branch);
  const needs = bytesNeeded(run);
  let scope = outer;
  for (const stage of stagesOf(run)) {
    if (stage.header !== undefined) {
      scope = writeHeader(writer, stage.header, scope, fail);
    }
    scope = writeLengths(writer, needs, scope, fail);
    writeStage(writer, stage, scope, fail);
  }
  const { terminal } = run;
  if (terminal.kind === "node") writeNode(writer, terminal.node, scope);
  else if (terminal.kind === "switch") {
    writeSwitch(writer, terminal, scope, fail);
  } else writeFlows(writer, terminal, scope, fail);
  for (const locals of ["bases", "protocols"] as const) {
    for (const [base, local] of scope[locals]) {
      if (!outer[locals].has(base)) code.release("i32", local);
    }
  }
}

/** Checks that what is needed is there, from each base that is at hand. */
function writeLengths(
  writer: Writer,
  needs: ReadonlyMap<number, number>,
  scope: Scope,
  fail: Label,
): Scope {
  const { code } = writer;
  const available = new Map(scope.available);
  for (const [base, local] of scope.bases) {
    const need = needs.get(base) ?? 0;
    if (need <= (available.get(base) ?? -1)) continue;
    available.set(base, need);
    if (base === 0) {
      code.op("local.get", writer.length).op("i32.const", need)
        .op("i32.lt_u").branch("br_if", fail);
      continue;
    }
    code.op("local.get", local);
    if (need > 0) code.op("i32.const", need).op("i32.add");
    code.op("local.get", writer.end).op("i32.gt_u").branch("br_if", fail);
  }
  return { ...scope, available };
}

function writeHeader(
  writer: Writer,
  header: NonNullable<Stage["header"]>,
  scope: Scope,
  fail: Label,
): Scope {
  const { code, end, walk } = writer;
  const place = {
    from: scope.bases.get(header.base)!,
    offset: header.offset,
  };
  const into = code.local("i32");
  const bases = new Map(scope.bases).set(header.into, into);
  if (header.kind === "ipv4") {
    writeIpv4End(code, place, into, fail);
    return { ...scope, bases };
  }
  const protocol = code.local("i32");
  writeIpv6End(code, place, { end, into, protocol, walk }, fail);
  return {
    bases,
    protocols: new Map(scope.protocols).set(header.into, protocol),
    available: new Map(scope.available).set(header.into, 0),
  };
}

/** Writes the tests of a stage: protocols, equal bytes by window, ranges. */
function writeStage(
  writer: Writer,
  stage: Stage,
  scope: Scope,
  fail: Label,
): void {
  const { code } = writer;
  for (const { source, value } of stage.protocols) {
    code.op("local.get", scope.protocols.get(source.base)!)
      .op("i32.const", source.mask).op("i32.and")
      .op("i32.const", value).op("i32.ne").branch("br_if", fail);
  }
  for (const [base, equals] of stage.equals) {
    const pieces = equals.map((equal) => equal.source);
    const values = equals.map((equal) => equal.value);
    for (const window of packWindows(pieces, scope.available.get(base)!)) {
      const bytes = windowValue(window, pieces, values);
      if (bytes === undefined) code.branch("br", fail);
      else {
        writeWindow(code, scope.bases.get(base)!, window);
        writeUnlessEqual(code, typeOf(window), bytes, fail);
      }
    }
  }
  for (const range of stage.ranges) writeRange(writer, range, scope, fail);
}

function writeRange(
  writer: Writer,
  range: Stage["ranges"][number],
  scope: Scope,
  fail: Label,
): void {
  const { code } = writer;
  const { source, low, high } = range;
  if (low > high || low > source.mask) {
    code.branch("br", fail);
    return;
  }
  if (source.kind !== "bytes") throw new Error("filter: a range of protocols");
  if (low === 0 && high >= source.mask) return;
  writeNumber(code, scope.bases.get(source.base)!, source);
  if (source.mask !== 2 ** (8 * source.width) - 1) {
    code.op("i32.const", source.mask).op("i32.and");
  }
  if (low > 0) code.op("i32.const", low).op("i32.sub");
  code.op("i32.const", high - low).op("i32.gt_u").branch("br_if", fail);
}
