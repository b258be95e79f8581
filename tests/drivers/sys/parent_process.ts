/**
 * Starts the command that its arguments are, says its number once it has written
 * something, and does nothing more: to be killed. Needs `--allow-ffi` alone.
 */

import { ChildProcess } from "../../../drivers/sys/child_process.ts";
import { sleepMs } from "../../../drivers/sys/libc.ts";

const child = new ChildProcess({ command: Deno.args });
const word = new Uint8Array(1);
while (child.read(word, 0, 1) === 0) sleepMs(1);
console.log(child.pid);
while (child.ended() === undefined) sleepMs(1000);
