/**
 * `idle`: the processor time of a whole system that nothing comes to: its NIC,
 * its filter service and three confined services, each in a worker, and what
 * watches them. 10 ms a second is 1 % of a core. Beside it, a Deno process that
 * waits for a datagram. Every process is measured in turn, for as long as each
 * other.
 */

import { Namespaces, RECEIVING } from "./namespaces.ts";
import { type Measure, takeTurns } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const DURATION_MS = 10_000;

/** Runs the benchmark. */
export async function* run({ quick }: BenchOptions): AsyncGenerator<BenchRow> {
  const durationMs = quick ? 100 : DURATION_MS;
  await using namespaces = new AsyncDisposableStack();
  const veth = await makeVeth(namespaces);
  const nic = `xdp:${RECEIVING.interface}`;
  const measures = await takeTurns<string>({
    emulated: () => idle(["system", durationMs, "emulated"]),
    ...(typeof veth === "string"
      ? {}
      : { xdp: () => idle(["system", durationMs, nic], veth.receiving) }),
    datagram: () => idle(["datagram", durationMs]),
  }, quick ? 1 : 3);
  const row = (words: string, ours: Measure | string) =>
    compare(
      { bench: "idle", case: `${words}, beside an idle socket`, unit },
      ours,
      measures.datagram!,
    );
  yield row("a system on an emulated wire", measures.emulated!);
  yield row(
    "a system on xdp over a veth",
    typeof veth === "string" ? veth : measures.xdp!,
  );
}

const unit = "CPU ms/s";

/** A veth between two namespaces, or why there is none. */
async function makeVeth(
  owned: AsyncDisposableStack,
): Promise<Namespaces | string> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  try {
    return owned.use(await Namespaces.make());
  } catch (error) {
    return (error as Error).message;
  }
}

async function idle(
  args: readonly (string | number)[],
  namespace?: string,
): Promise<number> {
  const script = new URL("./idle/run.ts", import.meta.url).pathname;
  const flags = ["-A", "--no-check", "--unstable-net"];
  const deno = [Deno.execPath(), "run", ...flags, script];
  const [program, ...rest] = [
    ...(namespace === undefined ? [] : ["ip", "netns", "exec", namespace]),
    ...deno,
    ...args.map(String),
  ];
  const { success, stdout, stderr } = await new Deno.Command(program!, {
    args: rest,
  }).output();
  if (!success) throw new Error(`idle: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout)).cpuMsPerSecond;
}
