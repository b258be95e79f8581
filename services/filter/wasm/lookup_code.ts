/** Code that looks a packet's key up in a table. */

import type { Code, Label } from "./code.ts";
import { typeOf, writeWindow } from "./load_code.ts";
import { ENTRY_MULTIPLIER, type FlowTable } from "./flow_table.ts";
import type { ValueType } from "./opcodes.ts";
import type { Window } from "./windows.ts";

/** One word of a key: a load from a base. */
export interface KeyWord {
  /** The local that holds the base's address. */
  readonly base: number;
  readonly window: Window;
}

/** A word of a key that is in a local. */
export interface KeyLocal {
  readonly type: ValueType;
  readonly local: number;
}

/**
 * Sets a new local to the value that `table` (flow_table.ts) has for the
 * packet's key, or leaves for `fail` when it has none. The local is the caller's
 * to release.
 */
export function writeLookup(
  code: Code,
  words: readonly KeyWord[],
  table: FlowTable,
  fail: Label,
): number {
  const key = words.map(({ base, window }) => {
    const type = typeOf(window);
    const local = code.local(type);
    writeWindow(code, base, window);
    code.op("local.set", local);
    return { type, local };
  });
  const value = writeLookupOf(code, key, table, fail);
  for (const { type, local } of key) code.release(type, local);
  return value;
}

/** Looks up a key that is in locals already, which stay the caller's. */
export function writeLookupOf(
  code: Code,
  key: readonly KeyLocal[],
  table: FlowTable,
  fail: Label,
): number {
  const at = code.local("i32");
  writeEntryOf(code, key, table);
  code.op("local.set", at);
  for (const [index, { type, local }] of key.entries()) {
    code.op("local.get", at)
      .op(`${type}.load`, table.address + table.wordOffsets[index]!)
      .op("local.get", local);
    if (key.length === 1) code.op(`${type}.ne`);
    else if (type === "i32") code.op("i32.ne").op("i64.extend_i32_u");
    else code.op("i64.xor");
    if (index > 0) code.op("i64.or");
  }
  if (key.length > 1) code.op("i64.const", 0).op("i64.ne");
  code.branch("br_if", fail);
  code.op("local.get", at).op("i32.load", table.address + table.valueOffset)
    .op("local.tee", at).op("i32.eqz").branch("br_if", fail);
  return at;
}

/** Leaves on the stack where the key's entry lies, from the first entry on. */
function writeEntryOf(
  code: Code,
  key: readonly KeyLocal[],
  table: FlowTable,
): void {
  const hash = code.local("i64");
  for (const [index, { type, local }] of key.entries()) {
    code.op("local.get", local);
    if (type === "i32") code.op("i64.extend_i32_u");
    code.op("i64.const", table.multipliers[index]!).op("i64.mul");
    if (index > 0) code.op("i64.add");
  }
  code.op("local.tee", hash).op("local.get", hash)
    .op("i64.const", 32).op("i64.shr_u").op("i64.xor")
    .op("i64.const", table.multipliers[key.length]!).op("i64.mul")
    .op("local.tee", hash).op("i32.wrap_i64")
    .op("local.get", hash).op("i64.const", table.bucketShift).op("i64.shr_u")
    .op("i32.wrap_i64").op("i32.const", 1).op("i32.shl")
    .op("i32.load16_u", table.displacements).op("i32.xor")
    .op("i32.const", ENTRY_MULTIPLIER).op("i32.mul")
    .op("i32.const", table.entryShift).op("i32.shr_u")
    .op("i32.const", table.stride).op("i32.mul");
  code.release("i64", hash);
}
