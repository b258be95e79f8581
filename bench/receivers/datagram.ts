/** `datagram.ts PORT`: receives UDP with Deno.listenDatagram into one buffer, and counts. */

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

receive();
await reportTo(() => packets);
Deno.exit(0);
