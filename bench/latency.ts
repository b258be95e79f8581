/**
 * `latency`: what one UDP datagram of 128 bytes takes to an echo over a veth pair
 * and back, one under way at a time, as a client in C sees it; and the processor
 * time of the echoing process (user and system, all its threads) a round trip.
 * Ours is a whole system: the driver service, the confined worker of udp-echo,
 * and the driver service again; once more with a service in a process, with one
 * in the driver's own thread, and with one that is trusted with packet memory, and
 * gets descriptors in a ring. Beside it, a kernel's UDP socket in Deno, and an
 * AF_XDP echo in C.
 *
 * Twice: wherever the scheduler puts them, and with the client on one processor
 * and all of the echo on another. In the first, one thread and the client may
 * share a processor that never idles, which is three times faster than waking one
 * that does; in the second, threads that hand a packet on share theirs.
 */

import { build } from "./build.ts";
import { denoScript, pinned, tryNamespaces } from "./ends.ts";
import { HelperProcess } from "./helper_process.ts";
import {
  type Command,
  figureOf,
  type Rounds,
  takeRounds,
} from "./helper_rounds.ts";
import { type Namespaces, RECEIVING } from "./namespaces.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const PORT = "9000";
/** A frame of 128 bytes, less the headers of Ethernet, IPv4 and UDP. */
const PAYLOAD_BYTES = 128 - 42;

/** What one echo did in one round. */
interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly cpuUs: number;
}

/** What is compared, with its words and unit. */
const FIGURES: readonly (readonly [keyof Round, string, string])[] = [
  ["p50", "p50", "µs"],
  ["p99", "p99", "µs"],
  ["p999", "p99.9", "µs"],
  ["cpuUs", "CPU", "µs/round trip"],
];

/** Whether the echo has one processor, which the client is not on; and the words for it. */
const PLACEMENTS = [[false, ""], [true, ", one processor"]] as const;

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const what = { bench: "latency", unit: "µs" };
  const refuse = (why: string) =>
    compare({ ...what, case: "UDP echo over a veth" }, why, why);
  const client = await build({ name: "udp_round_trips", kind: "program" });
  if ("missing" in client) return yield refuse(client.missing);
  const made = await tryNamespaces();
  if (typeof made === "string") return yield refuse(made);
  await using namespaces = made;
  const echoes = await makeEchoes();
  const rounds = options.quick ? 1 : 3;
  for (const [alone, where] of PLACEMENTS) {
    const round = (command: readonly string[]) =>
      measure({ namespaces, client, command, alone }, options);
    const measured = await takeRounds(
      alone ? { ...echoes, polled: "measured elsewhere" } : echoes,
      round,
      rounds,
    );
    const { system, placed, trusted, called, spinning, polled, datagram, xdp } =
      measured;
    const ours = {
      "whole system": system,
      "service in a process": placed,
      "service in the driver's thread": called,
      "trusted service": trusted,
    };
    for (const [words, did] of Object.entries(ours)) {
      yield* rowsOf(words + where, did, "Deno.listenDatagram", datagram);
      yield* rowsOf(words + where, did, "AF_XDP in C, poll()", xdp);
    }
    yield* rowsOf(`spinning${where}`, spinning, "without", system);
    if (alone) return;
    yield* rowsOf("busy polling", polled, "without", system);
  }
}

/** The three quantiles, then processor time. */
function* rowsOf(
  ours: string,
  oursDid: Rounds<Round>,
  reference: string,
  referenceDid: Rounds<Round>,
): Generator<BenchRow> {
  for (const [figure, words, unit] of FIGURES) {
    yield compare(
      {
        bench: "latency",
        case: `${words}, ${ours}, beside ${reference}`,
        unit,
      },
      figureOf(oursDid, figure),
      figureOf(referenceDid, figure),
    );
  }
}

/** One echo at one end, and a client at the other: warmed up, then measured. */
async function measure(
  { namespaces, client, command, alone }: {
    readonly namespaces: Namespaces;
    readonly client: { readonly path: string };
    readonly command: readonly string[];
    readonly alone: boolean;
  },
  { quick }: BenchOptions,
): Promise<Round> {
  const at = (part: "sender" | "receiver") => alone ? pinned(part) : [];
  await using echo = new HelperProcess({
    namespace: namespaces.receiving,
    command: [...at("receiver"), ...command],
  });
  await echo.ready();
  const trips = [client.path, RECEIVING.address, PORT, String(PAYLOAD_BYTES)];
  await using peer = new HelperProcess({
    namespace: namespaces.sending,
    command: [...at("sender"), ...trips],
  });
  await peer.ready();
  const count = quick ? 100 : 5000;
  await peer.ask(String(quick ? 50 : 3000));
  const before = await echo.ask("");
  const spans = await peer.ask(String(count));
  const after = await echo.ask("");
  // A loss is a second's wait, and would be no figure but a fault.
  if (spans.lost !== 0) throw new Error(`latency: ${spans.lost} were lost`);
  if (after.packets! - before.packets! !== count) {
    throw new Error("latency: another number was echoed than came back");
  }
  return {
    p50: spans.p50! / 1000,
    p99: spans.p99! / 1000,
    p999: spans.p999! / 1000,
    cpuUs: (after.cpuUs! - before.cpuUs!) / count,
  };
}

/** Ours, and what they are measured beside. */
async function makeEchoes(): Promise<
  Record<
    | "system"
    | "placed"
    | "trusted"
    | "called"
    | "spinning"
    | "polled"
    | "datagram"
    | "xdp",
    Command
  >
> {
  const at = [RECEIVING.interface, RECEIVING.address, PORT];
  const system = denoScript("system.ts", ...at, RECEIVING.mac);
  const c = await build({ name: "xdp_echo", kind: "program" });
  return {
    system,
    placed: [...system, "process"],
    trusted: [...system, "trusted"],
    called: [...system, "driver"],
    spinning: [...system, "spin"],
    polled: [...system, "busy-poll"],
    datagram: denoScript("datagram.ts", PORT, "echo"),
    xdp: "missing" in c ? c.missing : [c.path, ...at],
  };
}
