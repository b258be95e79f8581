/** Code that looks a packet's key up in a table. */

import type { Code, Label } from "./code.ts";
import { typeOf, writeWindow } from "./load_code.ts";
import type { Table } from "./tables.ts";
import type { Window } from "./windows.ts";

/** One word of a key: a load from a base. */
export interface KeyWord {
  /** The local that holds the base's address. */
  readonly base: number;
  readonly window: Window;
}

/**
 * Sets a new local to the value that `table` has for the packet's key, or leaves
 * for `fail` when it has none. The local is the caller's to release.
 *
 * ```
 * h = Σ word[i] · m[i];  h ^= h >> 32;  h *= m[n];  entry = h >> shift
 * ```
 */
export function writeLookup(
  code: Code,
  words: readonly KeyWord[],
  table: Table,
  fail: Label,
): number {
  const key = words.map(({ base, window }) => {
    const type = typeOf(window);
    const local = code.local(type);
    writeWindow(code, base, window);
    code.op("local.set", local);
    return { type, local };
  });
  const sum = code.local("i64");
  const at = code.local("i32");
  const value = code.local("i32");
  for (const [index, { type, local }] of key.entries()) {
    code.op("local.get", local);
    if (type === "i32") code.op("i64.extend_i32_u");
    code.op("i64.const", table.multipliers[index]!).op("i64.mul");
    if (index > 0) code.op("i64.add");
  }
  code.op("local.tee", sum).op("local.get", sum)
    .op("i64.const", 32).op("i64.shr_u").op("i64.xor")
    .op("i64.const", table.multipliers[key.length]!).op("i64.mul")
    .op("i64.const", table.shift).op("i64.shr_u").op("i32.wrap_i64")
    .op("i32.const", table.stride).op("i32.mul").op("local.set", at);
  const found = code.open("block");
  const probe = code.open("loop");
  for (const [index, { type, local }] of key.entries()) {
    code.op("local.get", at)
      .op(`${type}.load`, table.address + table.wordOffsets[index]!)
      .op("local.get", local);
    if (key.length === 1) code.op(`${type}.eq`);
    else if (type === "i32") {
      code.op("i32.ne").op("i64.extend_i32_u");
    } else code.op("i64.xor");
    if (index > 0) code.op("i64.or");
  }
  if (key.length > 1) code.op("i64.eqz");
  code.branch("br_if", found);
  code.op("local.get", at).op("i32.load", table.address + table.valueOffset)
    .op("i32.eqz").branch("br_if", fail);
  code.op("local.get", at).op("i32.const", table.stride).op("i32.add")
    .op("local.set", at).branch("br", probe);
  code.close().op("unreachable").close();
  // A free entry is all zero, which a key may be, too: its value tells.
  code.op("local.get", at).op("i32.load", table.address + table.valueOffset)
    .op("local.tee", value).op("i32.eqz").branch("br_if", fail);
  for (const { type, local } of key) code.release(type, local);
  code.release("i64", sum);
  code.release("i32", at);
  return value;
}
