/**
 * `install`: from the request for one more flow until its packets are its
 * holder's, with so many installed before; beside a grant of another shape,
 * for which everything is compiled again. And the longest time meanwhile for
 * which the driver did not look at its NIC, beside as long a time without an
 * install. In Wasm with a driver that is never idle; and on a veth, where the
 * kernel's program is brought up to date, too.
 */

import type { Install, InstallFigures } from "./install/measure.ts";
import { Namespaces, RECEIVING } from "./namespaces.ts";
import { type Measure, summarize } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

/** How many flows are installed before. */
const FLOW_COUNTS = [10, 100, 1000, 10000] as const;

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const counts = options.quick ? [10, 100] : FLOW_COUNTS;
  const installs = options.quick ? 3 : 200;
  const what = [`${installs}`, "-", ...counts.map(String)];
  for (const figures of await measure([], what)) {
    yield* rows("in Wasm", figures);
  }
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    const why = "needs root: network namespaces and AF_XDP";
    const name = "on a veth, in the kernel, too";
    yield compare({ bench: "install", case: name, unit: "µs" }, why, why);
    return;
  }
  await using namespaces = await Namespaces.make();
  const command = ["ip", "netns", "exec", namespaces.receiving];
  what[1] = RECEIVING.interface;
  for (const figures of await measure(command, what)) {
    yield* rows("on a veth", figures);
  }
}

function* rows(
  where: string,
  { flows, flow, shape }: InstallFigures,
): Generator<BenchRow> {
  const name = `${flows.toLocaleString("en-US")} flows, ${where}`;
  const row = (words: string, ours: Measure, reference: Measure) =>
    compare(
      { bench: "install", case: `${name}: ${words}`, unit: "µs" },
      ours,
      reference,
    );
  const latencies = (some: readonly Install[]) =>
    some.map(({ latencyUs }) => latencyUs);
  yield row(
    "one more, beside compiling",
    summarize(latencies(flow)),
    summarize(latencies(shape)),
  );
  yield row(
    "99th percentile of both",
    highest(latencies(flow)),
    highest(latencies(shape)),
  );
  // A gap of nothing at all has no ratio to be divided by.
  const gaps = (of: (one: Install) => number) =>
    summarize(flow.map((one) => Math.max(1, of(one))));
  yield row(
    "longest gap, beside none installed",
    gaps(({ gapUs }) => gapUs),
    gaps(({ idleGapUs }) => idleGapUs),
  );
}

/** The 99th percentile, as it is. */
function highest(figures: readonly number[]): Measure {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99));
  return { median: sorted[at]!, quartiles: [sorted[at]!, sorted[at]!] };
}

async function measure(
  prefix: readonly string[],
  what: readonly string[],
): Promise<InstallFigures[]> {
  const script = new URL("./install/measure.ts", import.meta.url).pathname;
  const [program, ...args] = [
    ...prefix,
    Deno.execPath(),
    ...["run", "-A", "--no-check", script],
    ...what,
  ];
  const command = new Deno.Command(program!, { args, stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error("install: the measuring process has failed");
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as InstallFigures);
}
