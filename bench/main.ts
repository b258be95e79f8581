/**
 * `deno task bench [NAME…] [--json] [--quick]`: runs the named benchmarks, or
 * all, and prints a table, or with `--json` an array on stdout. A ratio is ours
 * by the reference's, measured in the same run.
 */

import { nearest } from "../services/manifest/nearest.ts";
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
  latency: () => import("./latency.ts"),
  tap: () => import("./tap.ts"),
  deliver: () => import("./deliver.ts"),
  forward: () => import("./forward.ts"),
  growth: () => import("./growth.ts"),
  idle: () => import("./idle.ts"),
  hostile: () => import("./hostile.ts"),
  install: () => import("./install.ts"),
  caps: () => import("./caps.ts"),
  ports: () => import("./ports.ts"),
};

const FLAGS = ["--json", "--quick"];

async function main(args: readonly string[]): Promise<number> {
  const known = [...Object.keys(benches), ...FLAGS];
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown !== undefined) {
    const meant = nearest(unknown, known);
    console.error(
      `bench: there is no ${unknown}; ` +
        (meant === undefined
          ? `there are ${known.join(", ")}`
          : `did you mean ${meant}?`),
    );
    return 2;
  }
  const json = args.includes("--json");
  const quick = args.includes("--quick");
  const asked = args.filter((arg) => !FLAGS.includes(arg));
  const names = asked.length === 0 ? Object.keys(benches) : asked;
  const rows: BenchRow[] = [];
  if (!json) console.log(headerLine());
  for (const name of names) {
    const { run } = await benches[name]!();
    for await (const row of run({ quick })) {
      rows.push(row);
      if (!json) console.log(rowToLine(row));
    }
  }
  if (json) console.log(rowsToJson(rows));
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
