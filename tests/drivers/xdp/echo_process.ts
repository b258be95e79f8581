/**
 * A process of its own around the driver, for a namespace: answers UDP on port 7
 * with what it got, until a line comes on its input. Needs `--allow-ffi` and
 * nothing else. It writes JSON lines: `{"ready": …}`, `{"done": …}` with its
 * counts, or `{"failed": …}`.
 *
 *     deno run --allow-ffi echo_process.ts veth0 [echo|sink]
 */

import {
  BATCH_MAX,
  batchAt,
  frameAt,
  makePacketMemory,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../../caps/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openXdp } from "../../../drivers/xdp/open.ts";
import { udpPortProgram } from "./udp_port_program.ts";

const FRAMES = 2048;
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

async function main(interfaceName: string, echo: boolean): Promise<void> {
  const memory = makePacketMemory(FRAMES);
  using driver = openXdp({ interfaceName, memory });
  driver.offload?.(udpPortProgram(CLAIM));
  const stop = new AbortController();
  const input = Deno.stdin.readable.getReader();
  void input.read().then(() => {
    stop.abort();
    driver.wake();
  });
  console.log(
    JSON.stringify({ ready: { ...driver.info, mac: [...driver.info.mac] } }),
  );
  const before = Deno.memoryUsage();
  const options = { echo, signal: stop.signal };
  const counts = await run(driver, memory, options);
  const heap = Deno.memoryUsage().heapUsed - before.heapUsed;
  console.log(
    JSON.stringify({
      done: {
        ...driver.counters(),
        ...counts,
        heap,
        ended: Number(driver.ended),
      },
    }),
  );
  await input.cancel();
}

if (import.meta.main) {
  try {
    await main(Deno.args[0] ?? "veth0", Deno.args[1] !== "sink");
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error) }));
    Deno.exit(1);
  }
}
