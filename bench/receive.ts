/**
 * `receive`: processor time of the receiving process (user and system, all its
 * threads) a packet, and packets a second, for UDP in frames of 128 bytes over a
 * veth pair, from a sender that sends as fast as it can: our AF_XDP driver alone,
 * our packet socket driver alone, and a whole system with a confined service
 * behind it, beside UDP sockets and beside AF_XDP receivers in C.
 *
 * What the kernel does for a packet up to the ring or the socket's queue happens
 * in the sender's context on a veth, whoever receives, and is counted nowhere.
 */

import { build } from "./build.ts";
import { denoScript, hasProgram, pinned, tryNamespaces } from "./ends.ts";
import { HelperProcess } from "./helper_process.ts";
import { RECEIVING, SENDING } from "./namespaces.ts";
import { type Measure, summarize } from "./rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "./row.ts";

const PORT = 9000;
const FRAME_BYTES = 128;

/** A receiver: the command that runs it, or why it cannot run. */
interface Receiver {
  readonly name: string;
  readonly command: readonly string[] | string;
}

/** What one receiver did in one round. */
interface Round {
  readonly cpuNs: number;
  readonly perSecond: number;
}

/** Runs the benchmark. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchRow> {
  const what = { bench: "receive", unit: "ns CPU/packet" };
  const made = await tryNamespaces();
  if (typeof made === "string") {
    yield compare({ ...what, case: "AF_XDP over a veth" }, made, made);
    return;
  }
  await using namespaces = made;
  const { ours, references } = await receivers();
  const measured = new Map<string, Round[]>();
  await using sender = new HelperProcess({
    namespace: namespaces.sending,
    command: [
      ...pinned("sender"),
      ...denoScript("sender.ts", SENDING.interface, frame().toHex()),
    ],
  });
  await sender.ready();
  const rounds = options.quick ? 1 : 5;
  for (let round = 0; round < rounds; round++) {
    for (const { name, command } of [...ours, ...references]) {
      if (typeof command === "string") continue;
      const figures = measured.get(name) ?? [];
      measured.set(name, figures);
      await using receiver = new HelperProcess({
        namespace: namespaces.receiving,
        command: [...pinned("receiver"), ...command],
      });
      await receiver.ready();
      figures.push(await measure(sender, receiver, options));
    }
  }
  for (const { name } of ours) {
    for (const reference of references) {
      yield* rowsOf(name, reference, measured);
    }
  }
}

/** Processor time, then packets a second. */
function* rowsOf(
  ours: string,
  reference: Receiver,
  measured: ReadonlyMap<string, readonly Round[]>,
): Generator<BenchRow> {
  const side = (name: string, figure: keyof Round): Measure | string => {
    const rounds = measured.get(name);
    if (rounds !== undefined) return summarize(rounds.map((r) => r[figure]));
    return String(reference.command);
  };
  const what = { bench: "receive", case: `${ours}, beside ${reference.name}` };
  yield compare(
    { ...what, unit: "ns CPU/packet" },
    side(ours, "cpuNs"),
    side(reference.name, "cpuNs"),
  );
  yield compare(
    { ...what, unit: "packets/s" },
    side(ours, "perSecond"),
    side(reference.name, "perSecond"),
  );
}

/** One receiver under one sender: warmed up, then measured. */
async function measure(
  sender: HelperProcess,
  receiver: HelperProcess,
  options: BenchOptions,
): Promise<Round> {
  const durationMs = options.quick ? 50 : 1000;
  await sender.ask(String(options.quick ? 50 : 400));
  const before = await receiver.ask("");
  await sender.ask(String(durationMs));
  const after = await receiver.ask("");
  const packets = after.packets! - before.packets!;
  if (packets === 0) throw new Error("receive: no packet came");
  return {
    cpuNs: (after.cpuUs! - before.cpuUs!) * 1000 / packets,
    perSecond: packets * 1000 / durationMs,
  };
}

/** Ours, and what they are measured beside. */
async function receivers(): Promise<
  { readonly ours: Receiver[]; readonly references: Receiver[] }
> {
  const port = String(PORT);
  const at = [RECEIVING.interface, RECEIVING.address, port];
  const c = await build({ name: "xdp_receive", kind: "program" });
  const inC = (name: string, napUs: string): Receiver => ({
    name,
    command: "missing" in c ? c.missing : [c.path, ...at, napUs],
  });
  const dgram = `${import.meta.dirname}/receivers/dgram.mjs`;
  return {
    ours: [
      { name: "driver", command: denoScript("driver.ts", ...at) },
      {
        name: "packet socket driver",
        command: denoScript("packet.ts", ...at),
      },
      {
        name: "whole system",
        command: denoScript("system.ts", ...at, RECEIVING.mac),
      },
      {
        name: "whole system, service in a process",
        command: denoScript("system.ts", ...at, RECEIVING.mac, "process"),
      },
    ],
    references: [
      { name: "Deno.listenDatagram", command: denoScript("datagram.ts", port) },
      { name: "node:dgram in Deno", command: denoScript("dgram.mjs", port) },
      {
        name: "node:dgram in Node",
        command: hasProgram("node") ? ["node", dgram, port] : "no Node here",
      },
      inC("AF_XDP in C, poll()", "0"),
      inC("AF_XDP in C, naps of 100 µs", "100"),
    ],
  };
}

/** A UDP datagram to the receiving kernel's own addresses, without a UDP checksum. */
function frame(): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  const view = new DataView(bytes.buffer);
  const mac = (text: string) =>
    text.split(":").map((part) => parseInt(part, 16));
  bytes.set(mac(RECEIVING.mac), 0);
  bytes.set(mac(SENDING.mac), 6);
  view.setUint16(12, 0x0800);
  bytes.set([0x45, 0, 0, FRAME_BYTES - 14, 0, 0, 0x40, 0, 64, 17], 14);
  bytes.set([10, 77, 0, 1], 26);
  bytes.set(RECEIVING.address.split(".").map(Number), 30);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(24, ~(sum + (sum >>> 16)));
  view.setUint16(34, PORT);
  view.setUint16(36, PORT);
  view.setUint16(38, FRAME_BYTES - 34);
  return bytes;
}
