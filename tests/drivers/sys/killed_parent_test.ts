/** No child outlives this process, however it ends. */

import { TextLineStream } from "@std/streams/text-line-stream";
import assert from "node:assert/strict";
import { wallsFor } from "../../../drivers/sys/child_walls.ts";
import { testWith } from "../../needs.ts";
import { hasEnded, pathOf, until } from "./children.ts";

const program = new URL("./parent_process.ts", import.meta.url).href;

/** Starts a parent, waits for its child's program to begin, and kills the parent. Returns the child's number. */
async function childOfKilled(command: readonly string[]): Promise<number> {
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-ffi", "--quiet", program, ...command],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = parent.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const { value } = await lines.read();
  const pid = Number(value);
  assert.ok(pid > 0, `it says ${value}`);
  assert.equal(hasEnded(pid), false);
  parent.kill("SIGKILL");
  await parent.status;
  await lines.cancel();
  return pid;
}

testWith(
  ["linux", "tool:sh", "tool:cat"],
  "a child that reads ends with its parent, which was killed",
  async () => {
    for (let turn = 0; turn < 5; turn++) {
      const command = [pathOf("sh"), "-c", "echo; exec cat"];
      const pid = await childOfKilled(command);
      until(() => hasEnded(pid) || undefined, "the end of a child that reads");
    }
  },
);

testWith(
  ["linux", "tool:sh", "tool:setpriv", "tool:unshare"],
  "a child that spins behind walls ends with its parent, which was killed",
  async () => {
    const { prefix } = wallsFor({ uid: Deno.uid()! });
    const spin = [pathOf("sh"), "-c", "echo; while :; do :; done"];
    for (let turn = 0; turn < 20; turn++) {
      const pid = await childOfKilled([...prefix, ...spin]);
      until(() => hasEnded(pid) || undefined, "the end of a child that spins");
    }
  },
);
