/**
 * The checks of what is sent. Grants that ask for the same bits of the same
 * fields share one function, a **check**, which compares with what is in a
 * **record**; equal grants share a record. A table says which slot has which:
 *
 * ```
 *             slots (flow_table.ts)          records: │ check u32 │ free u32 │ constants … │
 * slot ──────► │ slot │ address │ ──────────► ───────┘
 * ```
 *
 * So a send grant of a check that is there comes and goes without compiling.
 */

import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type { TreeNode } from "../tree/node.ts";
import type { Grant } from "../grant/grant.ts";
import { FilterLimitError, mergeTree, SLOT_MAX } from "../tree/merge.ts";
import { batchFunction, type ModuleContext } from "./batch_code.ts";
import { Code, Constants } from "./code.ts";
import type { FunctionBody } from "./encoder.ts";
import type { FlowTable } from "./flow_table.ts";
import { writeLookupOf } from "./lookup_code.ts";
import { planTree } from "./planner.ts";
import { ResidualFunctions } from "./residual_functions.ts";
import { TableSpace } from "./table_space.ts";
import type { WordWrites } from "./word_writes.ts";

/** What a service may send: frames that `grant` matches, as `slot`. */
export interface SendGrant {
  /** 1 to `SLOT_MAX`. */
  readonly slot: number;
  /** What it may send. */
  readonly grant: Grant;
}

/** What a grant's check is, apart from the numbers that it compares with. */
export interface Shape {
  /** Equal for functions that do the same. */
  readonly name: string;
  /** The function; absent when it has tables, which each module must place for itself. */
  readonly body: FunctionBody | undefined;
  /** What it is emitted from. */
  readonly tree: TreeNode;
}

/** A grant's check. */
export interface Check {
  /** Which function it is. */
  readonly shape: Shape;
  /** What a record has behind its head. */
  readonly constants: Uint8Array;
}

/** Shapes that are remembered; beyond, all are forgotten. */
const SHAPES_MAX = 4096;

/** What was found out about send grants, for one compilation after another. */
export class CheckCache {
  #shapes = new Map<string, Shape>();
  #checks = new WeakMap<Grant, Check>();

  /** The check of a grant, whose function calls `walk` for IPv6. */
  checkOf(grant: Grant, walk: number): Check {
    const known = this.#checks.get(grant);
    if (known !== undefined) return known;
    const tree = mergeTree([{ slot: 1, grant, children: [] }]);
    const tables = new TableSpace();
    const made = emitCheck(contextOf(tables, walk), tree);
    const own = tables.segments.length > 0;
    const name = own ? JSON.stringify(grant) : nameOf(made.body);
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      if (this.#shapes.size >= SHAPES_MAX) {
        this.#shapes = new Map();
        this.#checks = new WeakMap();
      }
      shape = { name, body: own ? undefined : made.body, tree };
      this.#shapes.set(name, shape);
    }
    const check = { shape, constants: made.constants };
    this.#checks.set(grant, check);
    return check;
  }
}

/** A send grant has no grants derived from it, and no text. */
function contextOf(tables: TableSpace, walk: number): ModuleContext {
  const functions = new Map();
  const plan = { main: { branches: [] }, functions };
  const residuals = new ResidualFunctions(plan, 0);
  return { tables, walk, functions, residuals };
}

function emitCheck(
  context: ModuleContext,
  tree: TreeNode,
): { body: FunctionBody; constants: Uint8Array } {
  const constants = new Constants(RECORD_LOCAL, HEAD_BYTES);
  const { main } = planTree(tree);
  const body = batchFunction(context, main, "permit", constants);
  return { body, constants: constants.bytes() };
}

/** Functions that do the same have the same name. */
function nameOf(body: FunctionBody): string {
  const lines = body.instructions.map(({ op, immediates }) =>
    `${op} ${immediates.join(" ")}`
  );
  return `${body.locals.join(" ")}\n${lines.join("\n")}`;
}

/** A record in memory. */
interface StoredRecord {
  readonly name: string;
  readonly address: number;
  readonly sizeBytes: number;
  /** How many slots have it. */
  uses: number;
}

/** Bytes before a record's constants. */
const HEAD_BYTES = 8;
/** The parameter of a check that says where its record is. */
const RECORD_LOCAL = 3;
/** Room for records that may come later, at the least. */
const SPARE_BYTES_MIN = 4096;

/** What {@link Permits} is made in. */
export interface PermitOptions {
  /** Where its records go. */
  readonly tables: TableSpace;
  /** What is known of send grants. */
  readonly checks: CheckCache;
  /** The function that walks over IPv6 extension headers. */
  readonly walk: number;
  /** The function that refuses a whole batch. */
  readonly refuse: number;
  /** The index that the first check's function will have. */
  readonly firstFunction: number;
}

/** The send grants of one module, by slot. */
export class Permits {
  /** The checks' functions. */
  readonly functions: readonly FunctionBody[];
  readonly #options: PermitOptions;
  /** Number of each check, by its shape's name. */
  readonly #numbers = new Map<string, number>();
  readonly #records = new Map<string, StoredRecord>();
  readonly #bySlot = new Map<number, StoredRecord>();
  readonly #slots: FlowTable;
  /** Addresses of records that are free again, by size. */
  readonly #free = new Map<number, number[]>();
  #next: number;
  readonly #end: number;

  /**
   * Places all of `sends` in memory.
   * @throws {FilterLimitError} when that has no room, a slot is out of bounds,
   * or two grants have one slot.
   */
  constructor(sends: readonly SendGrant[], options: PermitOptions) {
    this.#options = options;
    const { tables, walk } = options;
    const shapes = new Map<string, Shape>();
    const checks = sends.map(({ slot, grant }) => {
      checkSlot(slot);
      const check = this.#checkOf(grant);
      const { shape } = check;
      if (!shapes.has(shape.name)) {
        this.#numbers.set(shape.name, shapes.size);
        shapes.set(shape.name, shape);
      }
      return check;
    });
    const context = contextOf(tables, walk);
    this.functions = [...shapes.values()].map(({ body, tree }) =>
      body ?? emitCheck(context, tree).body
    );
    const contents = new Map(
      checks.map((check) => [recordName(check), this.#recordOf(check)]),
    );
    const used = [...contents.values()].reduce((sum, r) => sum + r.length, 0);
    const room = 2 * used + SPARE_BYTES_MIN;
    const start = tables.reserve(room);
    this.#next = start;
    this.#end = start + room;
    const bytes = new Uint8Array(used);
    tables.fill(start, bytes);
    for (const [name, content] of contents) {
      bytes.set(content, this.#next - start);
      this.#store(name, content.length);
    }
    sends.forEach(({ slot }, index) => {
      if (this.#bySlot.has(slot)) {
        throw new FilterLimitError(`filter: two send grants for slot ${slot}`);
      }
      this.#use(slot, this.#records.get(recordName(checks[index]!))!);
    });
    this.#slots = tables.add(
      [4],
      [...this.#bySlot].map(([slot, { address }]) => entryOf(slot, address)),
    );
  }

  /**
   * Gives a slot a send grant that is of a check that the module has.
   * @returns false when it has none, or no room: compile afresh then.
   */
  set({ slot, grant }: SendGrant, writes: WordWrites): boolean {
    checkSlot(slot);
    const check = this.#checkOf(grant);
    if (!this.#numbers.has(check.shape.name)) return false;
    const name = recordName(check);
    let record = this.#records.get(name);
    if (record === undefined) {
      const content = this.#recordOf(check);
      record = this.#store(name, content.length);
      if (record === undefined) return false;
      const view = new DataView(content.buffer);
      for (let at = 0; at < content.length; at += 4) {
        writes.put(record.address + at, view.getUint32(at, true));
      }
    }
    this.delete(slot, writes);
    if (!this.#slots.set(entryOf(slot, record.address), writes)) return false;
    this.#use(slot, record);
    return true;
  }

  /** From now on `slot` may send nothing. */
  delete(slot: number, writes: WordWrites): void {
    const record = this.#bySlot.get(slot);
    if (record === undefined) return;
    this.#bySlot.delete(slot);
    this.#slots.delete([BigInt(slot)], writes);
    if (--record.uses > 0) return;
    this.#records.delete(record.name);
    const free = this.#free.get(record.sizeBytes);
    if (free === undefined) {
      this.#free.set(record.sizeBytes, [record.address]);
    } else free.push(record.address);
  }

  /** `permit(batch, count, slot)`: calls the slot's check with its record. */
  dispatcher(): FunctionBody {
    const code = new Code(3);
    const [batch, count, slot] = [0, 1, 2];
    const unknown = code.open("block");
    const key = [{ type: "i32", local: slot } as const];
    const record = writeLookupOf(code, key, this.#slots, unknown);
    const number = code.local("i32");
    code.op("local.get", record).op("i32.load", 0).op("local.set", number);
    this.#choose(code, { number, record }, 0, this.functions.length);
    code.op("return").close();
    code.op("local.get", batch).op("local.get", count)
      .op("call", this.#options.refuse);
    return {
      type: { parameters: ["i32", "i32", "i32"], results: [] },
      locals: code.locals,
      instructions: code.instructions,
    };
  }

  /** Calls the check with this number, of those from `low` on below `high`. */
  #choose(
    code: Code,
    locals: { readonly number: number; readonly record: number },
    low: number,
    high: number,
  ): void {
    if (high === low) return;
    if (high - low === 1) {
      for (const one of [0, 1, 2, locals.record]) code.op("local.get", one);
      code.op("call", this.#options.firstFunction + low);
      return;
    }
    const middle = (low + high) >>> 1;
    code.op("local.get", locals.number).op("i32.const", middle)
      .op("i32.lt_u").open("if");
    this.#choose(code, locals, low, middle);
    code.op("else");
    this.#choose(code, locals, middle, high);
    code.close();
  }

  #checkOf(grant: Grant): Check {
    return this.#options.checks.checkOf(grant, this.#options.walk);
  }

  #recordOf({ shape, constants }: Check): Uint8Array {
    const sizeBytes = Math.ceil((HEAD_BYTES + constants.length) / 8) * 8;
    const record = new Uint8Array(sizeBytes);
    new DataView(record.buffer).setUint32(
      0,
      this.#numbers.get(shape.name)!,
      true,
    );
    record.set(constants, HEAD_BYTES);
    return record;
  }

  #store(name: string, sizeBytes: number): StoredRecord | undefined {
    let address = this.#free.get(sizeBytes)?.pop();
    if (address === undefined) {
      if (this.#next + sizeBytes > this.#end) return undefined;
      address = this.#next;
      this.#next += sizeBytes;
    }
    const record = { name, address, sizeBytes, uses: 0 };
    this.#records.set(name, record);
    return record;
  }

  #use(slot: number, record: StoredRecord): void {
    record.uses++;
    this.#bySlot.set(slot, record);
  }
}

function recordName({ shape, constants }: Check): string {
  return `${constants.toHex()} ${shape.name}`;
}

function entryOf(slot: number, address: number): {
  readonly key: readonly bigint[];
  readonly value: number;
} {
  return { key: [BigInt(slot)], value: address };
}

function checkSlot(slot: number): void {
  if (Number.isInteger(slot) && slot > SLOT_NONE && slot <= SLOT_MAX) return;
  throw new FilterLimitError(
    `filter: send slot ${slot}; expected a whole number from 1 to ${SLOT_MAX}`,
  );
}
