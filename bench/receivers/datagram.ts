/**
 * `datagram.ts PORT [echo]`: receives UDP with Deno.listenDatagram into one
 * buffer, sends it back if it is to, and counts.
 */

import { reportTo } from "./report.ts";

const port = Number(Deno.args[0]);
const socket = Deno.listenDatagram({
  transport: "udp",
  hostname: "0.0.0.0",
  port,
});
const buffer = new Uint8Array(2048);
let packets = 0;

async function receive(): Promise<void> {
  for (;;) {
    await socket.receive(buffer);
    packets++;
  }
}

async function echo(): Promise<void> {
  for (;;) {
    const [bytes, from] = await socket.receive(buffer);
    await socket.send(bytes, from);
    packets++;
  }
}

if (Deno.args[1] === "echo") echo();
else receive();
await reportTo(() => packets);
Deno.exit(0);
