/**
 * A process of its own around the driver, for a namespace: answers UDP on port 7
 * with what it got, until told `stop` on its input. Needs `--allow-ffi` and
 * nothing else. It writes JSON lines: `{"ready": …}`, `{"done": …}` with its
 * counts, `{"burst": …}`, or `{"failed": …}`.
 *
 *     deno run --allow-ffi echo_process.ts veth0 [echo|sink|burst] [busy poll]
 */

import {
  BATCH_MAX,
  batchAt,
  frameAt,
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openXdp } from "../../../drivers/xdp/open.ts";
import { udpPortProgram } from "./udp_port_program.ts";

const FRAMES = 1024;
const CLAIM = { port: 7, tagLow: 0x89abcdef | 0, tagHigh: 0x01234567 };

/** Swaps the sender and the receiver in all three headers; the checksums stay right. */
function turnAround(bytes: Uint8Array, at: number): void {
  for (let n = 0; n < 6; n++) swap(bytes, at + n, at + 6 + n);
  for (let n = 0; n < 4; n++) swap(bytes, at + 26 + n, at + 30 + n);
  for (let n = 0; n < 2; n++) swap(bytes, at + 34 + n, at + 36 + n);
}

function swap(bytes: Uint8Array, a: number, b: number): void {
  const kept = bytes[a]!;
  bytes[a] = bytes[b]!;
  bytes[b] = kept;
}

async function run(
  driver: Driver,
  memory: PacketMemory,
  options: { readonly echo: boolean; readonly signal: AbortSignal },
): Promise<Record<string, number>> {
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  const free = new Uint32Array(FRAMES);
  const frames = new Uint32Array(BATCH_MAX);
  let freeCount = FRAMES;
  for (let frame = 0; frame < FRAMES; frame++) free[frame] = frame;
  const counts = { received: 0, tagged: 0, unsent: 0, waits: 0 };
  let yieldAt = performance.now() + 5;
  while (!options.signal.aborted && !driver.ended) {
    const provided = driver.provide(free, freeCount);
    free.copyWithin(0, provided, freeCount);
    freeCount -= provided;
    const count = driver.receive(batch, BATCH_MAX);
    counts.received += count;
    for (let n = 0; n < count; n++) {
      const right = batch.tagLow[n] === CLAIM.tagLow >>> 0 &&
        batch.tagHigh[n] === CLAIM.tagHigh;
      if (right) counts.tagged++;
      if (options.echo) turnAround(memory.bytes, batch.offset[n]!);
    }
    const sent = options.echo ? driver.transmit(batch, count) : 0;
    if (options.echo) counts.unsent += count - sent;
    for (let n = sent; n < count; n++) {
      free[freeCount++] = frameAt(batch.offset[n]!);
    }
    const back = driver.reclaim(frames);
    for (let n = 0; n < back; n++) free[freeCount++] = frames[n]!;
    if (count === 0) {
      counts.waits++;
      await driver.wait(1000);
      yieldAt = performance.now() + 5;
    } else if (performance.now() > yieldAt) {
      await driver.wait(0);
      yieldAt = performance.now() + 5;
    }
  }
  return counts;
}

/** A program that the verifier refuses: it returns what was never set. */
const REFUSED: KernelProgram = {
  instructions: new Uint8Array([0x95, 0, 0, 0, 0, 0, 0, 0]),
  maps: [],
  relocations: [],
};

function refuses(driver: Driver): boolean {
  try {
    driver.classify?.(REFUSED);
    return false;
  } catch {
    return true;
  }
}

/** Broadcasts as many packets as a batch holds in one call; says how many frames are back at once. */
function burst(driver: Driver, memory: PacketMemory): number {
  const batch = batchAt(memory, SEND_BATCH_OFFSET);
  for (let n = 0; n < BATCH_MAX; n++) {
    const at = frameOffset(n) + 256;
    memory.bytes.fill(0xff, at, at + 6);
    memory.bytes.set([...driver.info.mac, 0x88, 0xb5, n], at + 6);
    batch.offset[n] = at;
    batch.length[n] = 60;
  }
  driver.transmit(batch, BATCH_MAX);
  const back = new Uint32Array(2 * BATCH_MAX);
  const count = driver.reclaim(back);
  return new Set(back.subarray(0, count)).size;
}

/** What is known of the interface now, and what is to be said of it. */
function look(driver: Driver): unknown {
  const { frameBytesMax, mac } = driver.info;
  const notices = driver.takeNotices?.() ?? [];
  return { frameBytesMax, mac: [...mac], notices };
}

/** Reads commands: `exchange` offloads the program again, `look` says what is known of the interface now, `stop` ends. */
async function obey(driver: Driver, stop: AbortController): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    for (const line of text.split("\n")) {
      if (line === "exchange") {
        driver.classify?.(udpPortProgram(CLAIM));
        console.log(JSON.stringify({ exchanged: true }));
      }
      if (line === "count") driver.counters();
      if (line === "look") console.log(JSON.stringify({ link: look(driver) }));
      if (line === "stop") {
        stop.abort();
        driver.wake();
        return;
      }
    }
  }
}

async function main(args: readonly string[]): Promise<void> {
  const [interfaceName = "veth0", mode = "echo", busyPoll] = args;
  const memory = makePacketMemory(FRAMES);
  const busyPollPackets = busyPoll === undefined ? undefined : Number(busyPoll);
  using driver = openXdp({ interfaceName, memory, busyPollPackets });
  if (mode === "burst") {
    console.log(JSON.stringify({ burst: burst(driver, memory) }));
    return;
  }
  driver.classify?.(udpPortProgram(CLAIM));
  const ready = {
    ...driver.info,
    mac: [...driver.info.mac],
    refuses: refuses(driver),
  };
  console.log(JSON.stringify({ ready }));
  const stop = new AbortController();
  const obeyed = obey(driver, stop);
  const counts = await run(driver, memory, {
    echo: mode === "echo",
    signal: stop.signal,
  });
  const ended = Number(driver.ended);
  console.log(
    JSON.stringify({ done: { ...driver.counters(), ...counts, ended } }),
  );
  await obeyed;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error) }));
    Deno.exit(1);
  }
}
