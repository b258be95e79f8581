/**
 * In the kernel, on a veth: packets a second that come through our XDP program,
 * beside one that redirects everything. One receiver, our driver, keeps its
 * socket and exchanges the program between measurements; the sender sends as fast
 * as it can.
 *
 * On a veth the program runs in the sender's context, so the sender's rate is
 * what a packet costs altogether, the program's part included.
 */

import { delay } from "@std/async/delay";
import { denoScript, pinned, tryNamespaces } from "../ends.ts";
import { HelperProcess } from "../helper_process.ts";
import { type Namespaces, RECEIVING, SENDING } from "../namespaces.ts";
import { type Contestant, takeTurns } from "../rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "../row.ts";
import { framesFor, type ProgramName } from "./kernel_programs.ts";

/** After so long nothing is on its way any more that came under the program before. */
const SETTLE_MS = 20;

/** What our program is compiled from. */
const CASES = [
  { name: "services", words: "3 services" },
  { name: "flows", words: "1,000 flows" },
] as const;

/** Runs it. */
export async function* runKernel(
  options: BenchOptions,
): AsyncGenerator<BenchRow> {
  const made = await tryNamespaces();
  const rowOf = (words: string) => ({
    bench: "classify",
    case: `${words} in XDP on a veth, beside redirecting all`,
    unit: "packets/s",
  });
  if (typeof made === "string") {
    for (const { words } of CASES) yield compare(rowOf(words), made, made);
    return;
  }
  await using namespaces = made;
  await using ends = new AsyncDisposableStack();
  const receiver = ends.use(receiverIn(namespaces));
  await receiver.ready();
  const contestants: Record<string, Contestant> = {};
  for (const { name, words } of CASES) {
    const { frames, slots } = framesFor(name);
    const sender = ends.use(senderIn(namespaces, frames));
    await sender.ready();
    const measured = (program: ProgramName, slots?: number) => () =>
      measure({ sender, receiver, program, slots }, options);
    contestants[`ours ${words}`] = measured(name, slots);
    contestants[`reference ${words}`] = measured("redirect-all");
  }
  const measures = await takeTurns(contestants, options.quick ? 1 : 31);
  for (const { words } of CASES) {
    yield compare(
      rowOf(words),
      measures[`ours ${words}`]!,
      measures[`reference ${words}`]!,
    );
  }
}

interface Ends {
  readonly sender: HelperProcess;
  readonly receiver: HelperProcess;
  readonly program: ProgramName;
  /** To how many slots the sender's packets belong; undefined where there are none. */
  readonly slots: number | undefined;
}

/** Packets a second behind one program; warmed up, and with what it says of them checked. */
async function measure(
  { sender, receiver, program, slots }: Ends,
  { quick }: BenchOptions,
): Promise<number> {
  const durationMs = quick ? 50 : 100;
  await receiver.ask(program);
  await delay(SETTLE_MS);
  const begin = await receiver.ask("count");
  await sender.ask(quick ? "20" : "30");
  const before = await receiver.ask("count");
  await sender.ask(String(durationMs));
  const after = await receiver.ask("count");
  const packets = after.packets! - before.packets!;
  const all = after.packets! - begin.packets!;
  const tagged = after.tagged! - begin.tagged!;
  if (packets === 0) throw new Error(`classify: ${program}: no packet came`);
  if (slots !== undefined && (tagged !== all || after.slots !== slots)) {
    throw new Error(
      `classify: ${program}: ${tagged} of ${all} packets have its tags, for ${after.slots} of ${slots} slots`,
    );
  }
  return packets * 1000 / durationMs;
}

function receiverIn(namespaces: Namespaces): HelperProcess {
  const script = denoScript("programs.ts", RECEIVING.interface);
  return new HelperProcess({
    namespace: namespaces.receiving,
    command: [...pinned("receiver"), ...script],
  });
}

function senderIn(
  namespaces: Namespaces,
  frames: readonly Uint8Array[],
): HelperProcess {
  const hex = frames.map((frame) => frame.toHex()).join();
  return new HelperProcess({
    namespace: namespaces.sending,
    command: [
      ...pinned("sender"),
      ...denoScript("sender.ts", SENDING.interface, hex),
    ],
  });
}
