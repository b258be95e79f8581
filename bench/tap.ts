/**
 * `tap`: one TCP stream of a kernel through a TAP, in super-packets of up to 64
 * KiB, and the processor time (user and system, all threads) that it takes.
 *
 * Into a confined worker: a whole system on the TAP, with the least of TCP in the
 * worker, which looks at each segment's headers and counts its bytes. Beside it,
 * the way that the same stream takes without us: a loop in C that passes packets
 * to a second TAP, and the kernel behind that, with a program that reads them;
 * the processor time is that of both programs. And a loop in C that does with the
 * stream what the worker does. A worker that is trusted with packet memory gets
 * descriptors of packets where a confined one gets their pages.
 *
 * From TAP to TAP: our driver in the place of that loop, and both loops' own time.
 *
 * A kernel sends on in the context of whoever brings an acknowledgement, so that
 * a part of the sender's TCP is counted in all of these.
 */

import { delay } from "@std/async/delay";
import { build } from "./build.ts";
import { denoScript, tryNamespaces } from "./ends.ts";
import { HelperProcess } from "./helper_process.ts";
import {
  type Command,
  figureOf,
  type Rounds,
  takeRounds,
} from "./helper_rounds.ts";
import { ip, type Namespaces } from "./namespaces.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const NAMES = ["sptap0", "sptap1"] as const;
const SENDER = "10.78.0.1";
const RECEIVER = "10.78.0.2";
const PORT = "9000";

/** How often what was received is looked at until it is all that was sent. */
const LOOKS_MAX = 100;

/** What one contestant did in one round. */
interface Round {
  readonly gbps: number;
  /** Of the program at the TAP. */
  readonly ownSeconds: number;
  /** And of the program that reads the stream, where that is another. */
  readonly seconds: number;
}

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const refuse = (why: string) =>
    compare({ bench: "tap", case: "TCP", unit: "Gb/s" }, why, why);
  const stream = await build({ name: "tcp_stream", kind: "program" });
  if ("missing" in stream) return yield refuse(stream.missing);
  const made = await tryNamespaces();
  if (typeof made === "string") return yield refuse(made);
  await using namespaces = made;
  const bench = new TapBench(namespaces, stream.path, options);
  const rounds = options.quick ? 1 : 5;
  const measured = await takeRounds<keyof Contestants, Round>(
    await contestants(),
    (command) => bench.measure(command),
    rounds,
  );
  const { worker, trusted, loop, sinkInC, loopInC } = measured;
  const into = "into a confined worker, beside";
  yield* pair(`${into} the kernel behind a loop in C`, worker, loopInC);
  yield* pair(`${into} a loop in C that takes it`, worker, sinkInC);
  const shared = "into a trusted worker, beside";
  yield* pair(`${shared} the kernel behind a loop in C`, trusted, loopInC);
  yield* pair(`${shared} a loop in C that takes it`, trusted, sinkInC);
  const across = "from TAP to TAP by our driver, beside a loop in C";
  yield row("Gb/s", across, [loop, "gbps"], [loopInC, "gbps"]);
  const own = "ownSeconds";
  yield row("CPU s/GB", across, [loop, own], [loopInC, own]);
}

/** Ours, and what they are measured beside. */
interface Contestants {
  /** A whole system, with the stream's end in its worker. */
  readonly worker: Command;
  /** Our receiver, with a worker that is trusted with packet memory. */
  readonly trusted: Command;
  /** Our driver alone, between two TAPs. */
  readonly loop: Command;
  /** The stream's end in C. */
  readonly sinkInC: Command;
  /** A loop in C between two TAPs. */
  readonly loopInC: Command;
}

async function contestants(): Promise<Contestants> {
  const end = [NAMES[0], RECEIVER, PORT];
  const sink = await build({ name: "tap_sink", kind: "program" });
  const forward = await build({ name: "tap_forward", kind: "program" });
  return {
    worker: denoScript("tap_system.ts", ...end),
    trusted: denoScript("tap_system.ts", ...end, "trusted"),
    loop: denoScript("tap_forward.ts", ...NAMES),
    sinkInC: "missing" in sink ? sink.missing : [sink.path, ...end],
    loopInC: "missing" in forward ? forward.missing : [forward.path, ...NAMES],
  };
}

/** How fast, and at what cost in all. */
function* pair(
  words: string,
  ours: Rounds<Round>,
  reference: Rounds<Round>,
): Generator<BenchRow> {
  yield row("Gb/s", words, [ours, "gbps"], [reference, "gbps"]);
  yield row("CPU s/GB", words, [ours, "seconds"], [reference, "seconds"]);
}

type Side = readonly [Rounds<Round>, keyof Round];

function row(unit: string, words: string, ours: Side, reference: Side) {
  return compare(
    { bench: "tap", case: `TCP ${words}`, unit },
    figureOf<keyof Round>(...ours),
    figureOf<keyof Round>(...reference),
  );
}

/** The two namespaces, and what measures in them. */
class TapBench {
  readonly #namespaces: Namespaces;
  readonly #stream: string;
  readonly #options: BenchOptions;

  constructor(namespaces: Namespaces, stream: string, options: BenchOptions) {
    this.#namespaces = namespaces;
    this.#stream = stream;
    this.#options = options;
  }

  /** One program at the TAP, or at both of them: warmed up, then measured. */
  async measure(command: readonly string[]): Promise<Round> {
    const { sending, receiving } = this.#namespaces;
    await using taker = new HelperProcess({ namespace: sending, command });
    await taker.ready();
    await using owned = new AsyncDisposableStack();
    const forwards = command.includes(NAMES[1]);
    if (forwards) {
      await ip("-n", sending, "link", "set", NAMES[1], "netns", receiving);
      await addAddress(receiving, NAMES[1], RECEIVER);
    }
    await addAddress(sending, NAMES[0], SENDER);
    const reader = forwards
      ? await this.#start(owned, receiving, "receive", PORT)
      : undefined;
    const sender = await this.#start(owned, sending, "send", RECEIVER, PORT);
    const { quick } = this.#options;
    const warmed = await sender.ask(quick ? "50" : "500");
    const end = reader ?? taker;
    await all(end, warmed.bytes!);
    const before = [await taker.ask(""), await reader?.ask("")];
    const sent = await sender.ask(quick ? "50" : "1500");
    await all(end, warmed.bytes! + sent.bytes!);
    const after = [await taker.ask(""), await reader?.ask("")];
    const [own = 0, other = 0] = after.map((figures, i) =>
      figures === undefined ? 0 : figures.cpuUs! - before[i]!.cpuUs!
    );
    const gigabytes = sent.bytes! / 1e9;
    return {
      gbps: sent.bytes! * 8 / sent.us! / 1000,
      ownSeconds: own / 1e6 / gigabytes,
      seconds: (own + other) / 1e6 / gigabytes,
    };
  }

  async #start(
    owned: AsyncDisposableStack,
    namespace: string,
    ...args: string[]
  ): Promise<HelperProcess> {
    const command = [this.#stream, ...args];
    const helper = owned.use(new HelperProcess({ namespace, command }));
    await helper.ready();
    return helper;
  }
}

async function addAddress(
  namespace: string,
  name: string,
  address: string,
): Promise<void> {
  await ip("-n", namespace, "link", "set", name, "up");
  await ip("-n", namespace, "address", "add", `${address}/24`, "dev", name);
}

/** Waits until `bytes` have come, and sees that it is no more. */
async function all(end: HelperProcess, bytes: number): Promise<void> {
  let came = 0;
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    came = (await end.ask("")).packets!;
    if (came >= bytes) break;
    await delay(10);
  }
  if (came !== bytes) {
    throw new Error(`tap: ${bytes} bytes were sent, and ${came} came`);
  }
}
