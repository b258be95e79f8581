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
 * Out of a confined worker: the same system with a stream's sender in it, which
 * the kernel reads. Beside it, the kernel's own sender behind a loop in C.
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
  const { worker, placed, trusted, loop, sinkInC, loopInC } = measured;
  const { source, senderInC } = await takeRounds<keyof Senders, Round>(
    await senders(),
    (command) => bench.measureSender(command),
    rounds,
  );
  const into = "into a confined worker, beside";
  yield* pair(`${into} the kernel behind a loop in C`, worker, loopInC);
  yield* pair(`${into} a loop in C that takes it`, worker, sinkInC);
  const apart = "into a process, beside";
  yield* pair(`${apart} the kernel behind a loop in C`, placed, loopInC);
  yield* pair(`${apart} a loop in C that takes it`, placed, sinkInC);
  const shared = "into a trusted worker, beside";
  yield* pair(`${shared} the kernel behind a loop in C`, trusted, loopInC);
  yield* pair(`${shared} a loop in C that takes it`, trusted, sinkInC);
  const out = "out of a confined worker, beside";
  yield* pair(`${out} the kernel behind a loop in C`, source, senderInC);
  const across = "from TAP to TAP by our driver, beside a loop in C";
  yield row("Gb/s", across, [loop, "gbps"], [loopInC, "gbps"]);
  const own = "ownSeconds";
  yield row("CPU s/GB", across, [loop, own], [loopInC, own]);
}

/** Ours, and what they are measured beside. */
interface Contestants {
  /** A whole system, with the stream's end in its worker. */
  readonly worker: Command;
  /** Our receiver, with the stream's end in a process. */
  readonly placed: Command;
  /** Our receiver, with a worker that is trusted with packet memory. */
  readonly trusted: Command;
  /** Our driver alone, between two TAPs. */
  readonly loop: Command;
  /** The stream's end in C. */
  readonly sinkInC: Command;
  /** A loop in C between two TAPs. */
  readonly loopInC: Command;
}

/** What sends, and what it is measured beside. */
interface Senders {
  /** A whole system, with the stream's sender in its worker. */
  readonly source: Command;
  /** A loop in C between two TAPs, behind which the kernel sends. */
  readonly senderInC: Command;
}

/** Where a stream's end in our hands is. */
const END = [NAMES[0], RECEIVER, PORT];

async function contestants(): Promise<Contestants> {
  const sink = await build({ name: "tap_sink", kind: "program" });
  return {
    worker: denoScript("tap_system.ts", ...END, "sink"),
    placed: denoScript("tap_system.ts", ...END, "sink", "process"),
    trusted: denoScript("tap_system.ts", ...END, "sink", "trusted"),
    loop: denoScript("tap_forward.ts", ...NAMES),
    sinkInC: "missing" in sink ? sink.missing : [sink.path, ...END],
    loopInC: await loopInC(),
  };
}

async function senders(): Promise<Senders> {
  return {
    source: denoScript("tap_system.ts", ...END, "source"),
    senderInC: await loopInC(),
  };
}

async function loopInC(): Promise<Command> {
  const forward = await build({ name: "tap_forward", kind: "program" });
  return "missing" in forward ? forward.missing : [forward.path, ...NAMES];
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

  /** One program at the TAP, or at both of them, that a stream goes into: warmed up, then measured. */
  async measure(command: readonly string[]): Promise<Round> {
    await using owned = new AsyncDisposableStack();
    const { taker, other: reader } = await this.#join(
      owned,
      command,
      "receive",
    );
    const { sending } = this.#namespaces;
    const sender = await this.#start(owned, sending, "send", RECEIVER, PORT);
    const end = reader ?? taker;
    const warmed = await sender.ask(this.#ms(500));
    await all(end, warmed.bytes!);
    const before = await cpuOf(taker, reader);
    const sent = await sender.ask(this.#ms(1500));
    await all(end, warmed.bytes! + sent.bytes!);
    return roundOf(sent, before, await cpuOf(taker, reader));
  }

  /** One program at the TAP, or at both of them, that a stream comes out of. */
  async measureSender(command: readonly string[]): Promise<Round> {
    await using owned = new AsyncDisposableStack();
    const { taker, other: server } = await this.#join(owned, command, "serve");
    const { sending } = this.#namespaces;
    const fetcher = await this.#start(owned, sending, "fetch", RECEIVER, PORT);
    await fetcher.ask(this.#ms(500));
    const before = await cpuOf(taker, server);
    const got = await fetcher.ask(this.#ms(1500));
    return roundOf(got, before, await cpuOf(taker, server));
  }

  /** Starts what is at the TAP; where that passes packets on, also what the kernel behind it is to do. */
  async #join(
    owned: AsyncDisposableStack,
    command: readonly string[],
    does: "receive" | "serve",
  ): Promise<{ taker: HelperProcess; other: HelperProcess | undefined }> {
    const { sending, receiving } = this.#namespaces;
    const taker = owned.use(new HelperProcess({ namespace: sending, command }));
    await taker.ready();
    const forwards = command.includes(NAMES[1]);
    if (forwards) {
      await ip("-n", sending, "link", "set", NAMES[1], "netns", receiving);
      await addAddress(receiving, NAMES[1], RECEIVER);
    }
    await addAddress(sending, NAMES[0], SENDER);
    const other = forwards
      ? await this.#start(owned, receiving, does, PORT)
      : undefined;
    return { taker, other };
  }

  #ms(usual: number): string {
    return this.#options.quick ? "50" : String(usual);
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

/** The processor time so far of the program at the TAP, and of the one behind it. */
async function cpuOf(
  ...programs: readonly (HelperProcess | undefined)[]
): Promise<number[]> {
  const said = await Promise.all(programs.map((one) => one?.ask("")));
  return said.map((figures) => figures?.cpuUs ?? 0);
}

function roundOf(
  { bytes, us }: Readonly<Record<string, number>>,
  before: readonly number[],
  after: readonly number[],
): Round {
  const [own = 0, other = 0] = after.map((cpuUs, i) => cpuUs - before[i]!);
  const gigabytes = bytes! / 1e9;
  return {
    gbps: bytes! * 8 / us! / 1000,
    ownSeconds: own / 1e6 / gigabytes,
    seconds: (own + other) / 1e6 / gigabytes,
  };
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
