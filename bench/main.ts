/**
 * `deno task bench [NAME…] [--json] [--quick]`: runs the named benchmarks, or
 * all, and prints a table, or with `--json` an array on stdout. A ratio is ours
 * by the reference's, measured in the same run.
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  type Bench,
  type BenchRow,
  headerLine,
  rowsToJson,
  rowToLine,
} from "./row.ts";

const benches: Readonly<Record<string, () => Promise<{ run: Bench }>>> = {
  classify: () => import("./classify.ts"),
  receive: () => import("./receive.ts"),
  deliver: () => import("./deliver.ts"),
};

async function main(args: string[]): Promise<number> {
  const flags = parseArgs(args, { boolean: ["json", "quick"] });
  const asked: readonly unknown[] = flags._;
  const names = asked.length === 0 ? Object.keys(benches) : asked.map(String);
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    console.error(
      `bench: there is no ${unknown.join(", ")}; there are ${
        Object.keys(benches).join(", ")
      }`,
    );
    return 2;
  }
  const rows: BenchRow[] = [];
  if (!flags.json) console.log(headerLine());
  for (const name of names) {
    const { run } = await benches[name]!();
    for await (const row of run({ quick: flags.quick === true })) {
      rows.push(row);
      if (!flags.json) console.log(rowToLine(row));
    }
  }
  if (flags.json) console.log(rowsToJson(rows));
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
