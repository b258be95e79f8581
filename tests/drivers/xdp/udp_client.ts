/**
 * A kernel's UDP sockets, for a namespace: sends datagrams and counts the answers
 * that are what was sent. Writes `{"sent": …, "intact": …}`.
 *
 *     deno run --allow-net udp_client.ts ADDRESS PORT COUNT SOCKETS [LARGEST]
 */

import { createSocket, type Socket } from "node:dgram";

/** The most that are under way at a time: a burst must not overrun a socket's buffer. */
const WINDOW = 32;
const PAYLOAD_BYTES_MAX = 1472;
const QUIET_MS = 1000;

/** The payload number `n` of `count`: sizes from 1 to `largest`; told apart by its bytes where there is room. */
function payload(n: number, count: number, largest: number): Uint8Array {
  const size = 1 + Math.floor((n * (largest - 1)) / Math.max(1, count - 1));
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = (n * 31 + at * 7) & 0xff;
  return bytes;
}

/** Sends one datagram and waits for its answer. */
function exchange(
  socket: Socket,
  bytes: Uint8Array,
  to: { readonly address: string; readonly port: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(false), QUIET_MS);
    // An answer that comes too late belongs to another exchange.
    const onMessage = (message: Uint8Array) => {
      const same = message.length === bytes.length &&
        message.every((byte, at) => byte === bytes[at]);
      if (same) finish(true);
    };
    function finish(intact: boolean): void {
      clearTimeout(timer);
      socket.off("message", onMessage);
      resolve(intact);
    }
    socket.on("message", onMessage);
    socket.send(bytes, to.port, to.address);
  });
}

async function main(args: readonly string[]): Promise<void> {
  const to = { address: args[0]!, port: Number(args[1]) };
  const count = Number(args[2]);
  const largest = Number(args[4] ?? PAYLOAD_BYTES_MAX);
  const lanes = Math.min(WINDOW, Number(args[3]));
  let next = 0;
  let intact = 0;
  async function lane(): Promise<void> {
    const socket = createSocket("udp4");
    while (next < count) {
      const bytes = payload(next++, count, largest);
      if (await exchange(socket, bytes, to)) intact++;
    }
    socket.close();
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  console.log(JSON.stringify({ sent: count, intact }));
}

if (import.meta.main) await main(Deno.args);
