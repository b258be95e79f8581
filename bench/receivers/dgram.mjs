/**
 * `dgram.mjs PORT`: receives UDP with node:dgram, in Node or in Deno, and
 * counts. Plain JavaScript, for a Node that knows no types. What it says is
 * described in report.ts.
 */

import { createSocket } from "node:dgram";
import process from "node:process";

let packets = 0;
const socket = createSocket("udp4");
socket.on("message", () => {
  packets++;
});
socket.bind(Number(process.argv[2]), "0.0.0.0", () => console.log("ready"));
process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ packets, cpuUs: user + system }));
});
process.stdin.on("end", () => process.exit(0));
