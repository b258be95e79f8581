/**
 * The merged tree as instructions: `interpret` unrolled. Every piece of code
 * either ends in a verdict or goes to the label that it was given to fail to.
 */

import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type { Tag } from "../../../caps/kernel/tag.ts";
import type { Field } from "../tree/atom.ts";
import type { Accept, Branch, FlowsBranch, TreeNode } from "../tree/node.ts";
import type { Code } from "./assembler.ts";
import { emitField, FRAME_SCOPE, KEY_OFFSET, type Scope } from "./frame.ts";
import { emitCarries, emitHeader } from "./header.ts";
import {
  addImm,
  call,
  HELPER,
  ja,
  jeqImm,
  jeqImm32,
  jgeImm32,
  jgtImm32,
  jltImm32,
  load,
  loadImm64,
  loadMap,
  movReg,
  R0,
  R1,
  R10,
  R2,
  R9,
  store,
  storeImm,
} from "./instruction.ts";
import {
  INSTRUCTIONS_MAX,
  ProgramTooLarge,
  PROTOCHAIN_ROUNDS_MAX,
  TREE_DEPTH_MAX,
} from "./limits.ts";
import { emitResidual } from "./residual.ts";
import type { FlowTables, TablePlace } from "./tables.ts";

/** With fewer exact values than this, comparing is quicker than a hash table. */
const TABLE_ENTRIES_MIN = 16;

/** What the whole walk shares. */
export interface Walk {
  /** Where instructions go. */
  readonly code: Code;
  /** Where flow tables go. */
  readonly tables: FlowTables;
  /** The tag of a slot; never asked for SLOT_NONE. */
  readonly tagOf: (slot: number) => Tag;
  /** The label to go to with a live tag in r9. */
  readonly claim: string;
  /** The label to go to when nobody receives. */
  readonly unclaimed: string;
  /**
   * Where the grants derived from an accept are tried, or its filter text.
   * However many branches end in it, they are emitted once, where nothing is
   * known of the frame.
   */
  readonly derived: Map<Accept, string>;
  /** How many nodes lie above. */
  depth: number;
}

type SwitchBranch = Extract<Branch, { kind: "switch" }>;
type HeaderBranch = Extract<Branch, { kind: "header" }>;
type Case = SwitchBranch["cases"][number];

/** Emits the whole of `tree`, the grants derived from its accepts included. */
export function emitTree(walk: Walk, tree: TreeNode): void {
  emitNode(walk, tree, FRAME_SCOPE, walk.unclaimed);
  const rounds = { left: PROTOCHAIN_ROUNDS_MAX };
  // The map grows while it is walked: derived grants have derived grants.
  for (const [{ children, residual, slot }, label] of walk.derived) {
    walk.code.label(label);
    const own = walk.code.fresh("own");
    if (children !== undefined) emitNode(walk, children, FRAME_SCOPE, own);
    if (residual !== undefined) {
      const reject = walk.code.fresh("otherwise");
      const place = { accept: own, reject, rounds };
      emitResidual(walk.code, residual.program, place);
      walk.code.label(reject);
      emitOwner(walk, residual.otherwise);
    }
    walk.code.label(own);
    emitOwner(walk, slot);
  }
}

/** Emits `node`: a verdict, or on to `fail`. */
function emitNode(
  walk: Walk,
  node: TreeNode,
  scope: Scope,
  fail: string,
): void {
  if (++walk.depth > TREE_DEPTH_MAX) {
    throw new ProgramTooLarge(`the tree is deeper than ${TREE_DEPTH_MAX}`);
  }
  if (walk.code.lineCount > 2 * INSTRUCTIONS_MAX) {
    throw new ProgramTooLarge(
      `it would have more than ${INSTRUCTIONS_MAX} instructions`,
    );
  }
  for (const run of runsOf(node.branches)) {
    const next = walk.code.fresh("next");
    if (isHeaders(run)) emitHeaders(walk, run, scope, next);
    else emitBranch(walk, run, scope, next);
    walk.code.label(next);
  }
  if (node.accept === undefined) walk.code.push(ja(fail));
  else emitAccept(walk, node.accept);
  walk.depth--;
}

/** A branch, or several in a row that look at the same header. */
type Run = Exclude<Branch, HeaderBranch> | readonly HeaderBranch[];

function isHeaders(run: Run): run is readonly HeaderBranch[] {
  return Array.isArray(run);
}

function runsOf(branches: readonly Branch[]): Run[] {
  const runs: (Exclude<Branch, HeaderBranch> | HeaderBranch[])[] = [];
  for (const branch of branches) {
    const last = runs.at(-1);
    if (branch.kind !== "header") runs.push(branch);
    else if (Array.isArray(last) && isSameHeader(last[0]!, branch)) {
      last.push(branch);
    } else runs.push([branch]);
  }
  return runs;
}

function isSameHeader(a: HeaderBranch, b: HeaderBranch): boolean {
  return a.atom.op === b.atom.op && a.atom.offset === b.atom.offset;
}

/** Parses a header once, and tries the branches that look at it. */
function emitHeaders(
  walk: Walk,
  run: readonly HeaderBranch[],
  scope: Scope,
  fail: string,
): void {
  const behind = emitHeader(walk.code, scope, run[0]!.atom, fail);
  for (const { atom, then } of run) {
    const next = walk.code.fresh("next");
    emitCarries(walk.code, behind, atom, next);
    emitNode(walk, then, behind, next);
    walk.code.label(next);
  }
  walk.code.push(ja(fail));
}

function emitBranch(
  walk: Walk,
  branch: Exclude<Branch, HeaderBranch>,
  scope: Scope,
  fail: string,
): void {
  switch (branch.kind) {
    case "switch":
      return emitSwitch(walk, branch, scope, fail);
    case "range": {
      const { low, high } = branch;
      const inside = emitField(walk.code, scope, branch, fail);
      walk.code.push(jltImm32(R1, low, fail), jgtImm32(R1, high, fail));
      return emitNode(walk, branch.then, inside, fail);
    }
    case "flows":
      return emitFlows(walk, branch, scope, fail);
  }
}

/** A verdict: the grants derived from this one, or its filter text, have their say first. */
function emitAccept(walk: Walk, accept: Accept): void {
  if (isPlain(accept)) return emitOwner(walk, accept.slot);
  let label = walk.derived.get(accept);
  if (label === undefined) {
    label = walk.code.fresh("derived");
    walk.derived.set(accept, label);
  }
  walk.code.push(ja(label));
}

/** The packet is `slot`'s. */
function emitOwner(walk: Walk, slot: number): void {
  const tag = tagOf(walk, slot);
  if (tag === undefined) walk.code.push(ja(walk.unclaimed));
  else walk.code.push(loadImm64(R9, tag.low, tag.high), ja(walk.claim));
}

/** The tag of `slot`, or undefined for SLOT_NONE. */
function tagOf(walk: Walk, slot: number): Tag | undefined {
  if (slot === SLOT_NONE) return undefined;
  const tag = walk.tagOf(slot);
  if (tag.low === 0 && tag.high === 0) {
    throw new Error(`slot ${slot} has the tag 0, which means "not interested"`);
  }
  return tag;
}

/** Whether there is nothing to look at beyond this: it can be a table's entry. */
function isPlain(accept: Accept | undefined): accept is Accept {
  return accept !== undefined && accept.children === undefined &&
    accept.residual === undefined;
}

/**
 * A switch: plain accepts of a large one are a flow table of one field, the
 * other cases a binary search, its cases after it.
 */
function emitSwitch(
  walk: Walk,
  branch: SwitchBranch,
  scope: Scope,
  fail: string,
): void {
  const inside = emitField(walk.code, scope, branch, fail);
  const plain = branch.cases.filter(({ then }) =>
    then.branches.length === 0 && isPlain(then.accept)
  );
  const tabled = plain.length >= TABLE_ENTRIES_MIN ? new Set(plain) : undefined;
  const searched = branch.cases
    .filter((one) => tabled === undefined || !tabled.has(one))
    .map((one) => ({ one, label: walk.code.fresh("case") }));

  const miss = tabled === undefined ? fail : walk.code.fresh("table");
  emitSearch(walk.code, searched, miss);
  if (tabled !== undefined) {
    walk.code.label(miss);
    walk.code.push(store(4, R10, KEY_OFFSET + 4, R1));
    const entries = plain.map(({ value, then }) => ({
      key: [value],
      accept: then.accept!,
    }));
    emitLookup(walk, 1, entries, fail);
  }
  for (const { one, label } of searched) {
    walk.code.label(label);
    emitNode(walk, one.then, inside, fail);
  }
}

/** Goes to the label of the case that r1 equals, by halves; else to `miss`. */
function emitSearch(
  code: Code,
  cases: readonly { readonly one: Case; readonly label: string }[],
  miss: string,
): void {
  if (cases.length <= 3) {
    for (const { one, label } of cases) {
      code.push(jeqImm32(R1, one.value, label));
    }
    code.push(ja(miss));
    return;
  }
  const middle = cases.length >>> 1;
  const upper = code.fresh("upper");
  code.push(jgeImm32(R1, cases[middle]!.one.value, upper));
  emitSearch(code, cases.slice(0, middle), miss);
  code.label(upper);
  emitSearch(code, cases.slice(middle), miss);
}

/**
 * Exact flows: a hash table, and for flows that grants were derived from (or
 * when they are few) a switch within a switch.
 */
function emitFlows(
  walk: Walk,
  branch: FlowsBranch,
  scope: Scope,
  fail: string,
): void {
  const { fields } = branch;
  const plain = branch.entries.filter(({ accept }) => isPlain(accept));
  const tabled = plain.length >= TABLE_ENTRIES_MIN;
  const rest = tabled
    ? branch.entries.filter(({ accept }) => !isPlain(accept))
    : branch.entries;
  let inside = scope;
  if (tabled) {
    const miss = rest.length === 0 ? fail : walk.code.fresh("miss");
    fields.forEach((field, index) => {
      inside = emitField(walk.code, inside, field, fail);
      walk.code.push(store(4, R10, KEY_OFFSET + 4 * (index + 1), R1));
    });
    const place = emitLookup(walk, fields.length, plain, miss);
    walk.tables.note(branch, place);
    if (rest.length === 0) return;
    walk.code.label(miss);
  }
  emitNode(walk, asSwitches(fields, rest, 0), inside, fail);
}

/** Looks up the key that lies on the stack: claims, or goes to `miss`. */
function emitLookup(
  walk: Walk,
  fieldCount: number,
  entries: readonly { key: readonly number[]; accept: Accept }[],
  miss: string,
): TablePlace {
  const place = walk.tables.add(
    fieldCount,
    entries.map(({ key, accept }) => ({
      key,
      tag: tagOf(walk, accept.slot) ?? { low: 0, high: 0 },
    })),
  );
  walk.code.push(
    storeImm(4, R10, KEY_OFFSET, place.table),
    loadMap(R1, place.map),
    movReg(R2, R10),
    addImm(R2, KEY_OFFSET),
    call(HELPER.MAP_LOOKUP_ELEM),
    jeqImm(R0, 0, miss),
    load(8, R9, R0, 0),
    jeqImm(R9, 0, walk.unclaimed),
    ja(walk.claim),
  );
  return place;
}

/** Flows as a tree of switches, from field `index` on. */
function asSwitches(
  fields: readonly Field[],
  entries: FlowsBranch["entries"],
  index: number,
): TreeNode {
  const field = fields[index];
  if (field === undefined) {
    const accept = entries[0]?.accept;
    return accept === undefined ? { branches: [] } : { branches: [], accept };
  }
  const groups = Map.groupBy(entries, ({ key }) => key[index]!);
  const cases = [...groups].map(([value, group]) => ({
    value,
    then: asSwitches(fields, group, index + 1),
  }));
  return { branches: [{ kind: "switch", ...field, cases }] };
}
