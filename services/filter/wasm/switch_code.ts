/**
 * Code that chooses among many: compared one after the other when they are few,
 * a jump table when they lie close together, a hash table otherwise.
 */

import { FilterLimitError } from "../tree/merge.ts";
import type { Label } from "./code.ts";
import { writeUnlessEqual, writeWindow } from "./load_code.ts";
import { type KeyWord, writeLookup } from "./lookup_code.ts";
import type { Scope, Writer } from "./writer.ts";
import type { BytesSource, PlanBranch, PlanNode, Source } from "./plan.ts";
import { littleEndian, packWindows, windowValue } from "./windows.ts";

/** A switch of several cases. */
export type Switch = Extract<PlanBranch, { kind: "switch" }>;
/** Exact flows. */
export type Flows = Extract<PlanBranch, { kind: "flows" }>;

/** Up to how many cases are compared one after the other. */
const CHAIN_MAX = 6;

/** How far apart the cases of a jump table may lie. */
const SPAN_MAX = 512;

/** The most cases that each have code of their own. */
const CASES_MAX = 8192;

/** A table's value says the slot, or with this bit the number of a case. */
const CASE_BIT = 0x80000000;

/** Writes a switch of several cases. */
export function writeSwitch(
  writer: Writer,
  branch: Switch,
  scope: Scope,
  fail: Label,
): void {
  const { source, cases } = branch;
  const values = cases.map((one) => one.value);
  const span = Math.max(...values) - Math.min(...values);
  const isByte = source.kind === "protocol" || source.width === 1;
  if (cases.length <= CHAIN_MAX) writeChain(writer, branch, scope, fail);
  else if (isByte && span < SPAN_MAX) {
    writeJumpTable(writer, branch, scope, fail);
  } else if (source.kind === "bytes") {
    const entries = cases.map(({ value, then }) => ({ key: [value], then }));
    const flows: Flows = { kind: "flows", fields: [source], entries };
    writeFlows(writer, flows, scope, fail);
  } else throw new Error("filter: protocols that are no bytes");
}

/** Leaves the source's number on the stack as it lies in memory. */
function writeSource(writer: Writer, source: Source, scope: Scope): void {
  const { code } = writer;
  if (source.kind === "bytes") {
    const [window] = packWindows([source], source.offset + source.width);
    writeWindow(code, scope.bases.get(source.base)!, window!);
    return;
  }
  code.op("local.get", scope.protocols.get(source.base)!)
    .op("i32.const", source.mask).op("i32.and");
}

/** A value as the same number that {@link writeSource} would leave. */
function inMemoryOrder(source: Source, value: number): Uint8Array {
  const width = source.kind === "bytes" ? source.width : 4;
  const bytes = new Uint8Array(width);
  for (let index = 0; index < width; index++) {
    const shift = source.kind === "bytes" ? width - 1 - index : index;
    bytes[index] = value >>> (8 * shift);
  }
  return bytes;
}

function writeChain(
  writer: Writer,
  branch: Switch,
  scope: Scope,
  fail: Label,
): void {
  const { code } = writer;
  const value = code.local("i32");
  writeSource(writer, branch.source, scope);
  code.op("local.set", value);
  for (const one of branch.cases) {
    const next = code.open("block");
    code.op("local.get", value);
    writeUnlessEqual(
      code,
      "i32",
      inMemoryOrder(branch.source, one.value),
      next,
    );
    writer.node(one.then, scope);
    code.branch("br", fail);
    code.close();
  }
  code.release("i32", value);
}

function writeJumpTable(
  writer: Writer,
  branch: Switch,
  scope: Scope,
  fail: Label,
): void {
  const { code } = writer;
  const { cases, source } = branch;
  const first = Math.min(...cases.map((one) => one.value));
  const count = Math.max(...cases.map((one) => one.value)) - first + 1;
  const labels = openCases(writer, cases.length);
  const table = new Array<Label>(count).fill(fail);
  cases.forEach((one, index) => table[one.value - first] = labels[index]!);
  writeSource(writer, source, scope);
  if (first > 0) code.op("i32.const", first).op("i32.sub");
  code.table([...table, fail]);
  closeCases(writer, cases.map((one) => one.then), scope, fail);
}

/** Opens a block for each case; the code of case 0 comes after the innermost. */
function openCases(writer: Writer, count: number): Label[] {
  if (count > CASES_MAX) {
    throw new FilterLimitError(
      `filter: ${count} grants that differ in one field go on differently; at most ${CASES_MAX} may`,
    );
  }
  const labels: Label[] = [];
  for (let index = 0; index < count; index++) {
    labels.unshift(writer.code.open("block"));
  }
  return labels;
}

function closeCases(
  writer: Writer,
  nodes: readonly PlanNode[],
  scope: Scope,
  fail: Label,
): void {
  for (const node of nodes) {
    writer.code.close();
    writer.node(node, scope);
    writer.code.branch("br", fail);
  }
}

/** Writes exact flows: one look-up, and then a slot or some cases' code. */
export function writeFlows(
  writer: Writer,
  branch: Flows,
  scope: Scope,
  fail: Label,
): void {
  const { code } = writer;
  const key = keyOf(branch.fields, scope);
  const { origin } = branch;
  const wordsOf = key.valuesOf;
  const cases: PlanNode[] = [];
  const entries = branch.entries.flatMap((entry) => {
    const words = key.valuesOf(entry.key);
    if (words === undefined) return [];
    const slot = slotOf(entry.then);
    const value = slot === undefined
      ? CASE_BIT + cases.push(entry.then) - 1
      : slot + 1;
    return [{ key: words, value }];
  });
  if (entries.length === 0) {
    if (origin !== undefined) {
      writer.tables.note(origin, { table: undefined, wordsOf });
    }
    code.branch("br", fail);
    return;
  }
  const shape = key.words.map(({ window }) => window.width === 8 ? 8 : 4);
  const table = writer.tables.add(shape, entries);
  if (origin !== undefined) writer.tables.note(origin, { table, wordsOf });
  const value = writeLookup(code, key.words, table, fail);
  if (cases.length > 0) {
    const isSlot = code.open("block");
    code.op("local.get", value).op("i32.const", CASE_BIT).op("i32.lt_u")
      .branch("br_if", isSlot);
    const labels = openCases(writer, cases.length);
    code.op("local.get", value).op("i32.const", CASE_BIT).op("i32.sub")
      .table([...labels, fail]);
    closeCases(writer, cases, scope, fail);
    code.close();
  }
  writer.decideValue(value);
  code.release("i32", value);
}

/** The slot of a node that does nothing but decide on one. */
function slotOf(node: PlanNode): number | undefined {
  if (node.branches.length > 0 || node.end === undefined) return undefined;
  const isPlain = "slot" in node.end && !("residual" in node.end);
  return isPlain ? node.end.slot : undefined;
}

/** How fields become the words of a key. */
function keyOf(fields: readonly BytesSource[], scope: Scope): {
  readonly words: readonly KeyWord[];
  valuesOf(values: readonly number[]): bigint[] | undefined;
} {
  const bases = [...new Set(fields.map((field) => field.base))];
  const parts = bases.flatMap((base) => {
    const indices = fields.flatMap((field, index) =>
      field.base === base ? [index] : []
    );
    const pieces = indices.map((index) => fields[index]!);
    return packWindows(pieces, scope.available.get(base)!).map((window) => ({
      indices,
      pieces,
      word: { base: scope.bases.get(base)!, window },
    }));
  }).sort((a, b) =>
    Number(b.word.window.width === 8) - Number(a.word.window.width === 8)
  );
  return {
    words: parts.map((part) => part.word),
    valuesOf(values) {
      const words = parts.map(({ indices, pieces, word }) =>
        windowValue(
          word.window,
          pieces,
          indices.map((index) => values[index]!),
        )
      );
      return words.every((bytes) => bytes !== undefined)
        ? words.map(littleEndian)
        : undefined;
    },
  };
}
