/** The harness for network namespaces leaves nothing behind. */

import assert from "node:assert/strict";
import { testWith } from "./needs.ts";
import { makeNamespacePair, NETNS_NEEDS, RIGHT_ADDRESS } from "./netns.ts";
import { commandOf, runCommand } from "./command.ts";

async function namespaces(): Promise<string[]> {
  const list = await runCommand(["ip", "netns", "list"]);
  return list.split("\n").map((line) => line.split(" ")[0]!);
}

testWith(
  [...NETNS_NEEDS, "tool:ping", "tool:sh", "tool:false", "tool:sleep"],
  "two namespaces reach each other, and are gone afterwards with what ran in them",
  async () => {
    let names: string[];
    let child: Deno.ChildProcess;
    {
      await using pair = await makeNamespacePair();
      names = [pair.left.name, pair.right.name];
      const ping = ["ping", "-n", "-c", "1", "-W", "2", RIGHT_ADDRESS];
      assert.match(await pair.left.run(...ping), / 0% packet loss/);
      const result = await pair.left.try(
        "sh",
        "-c",
        "echo a; echo b >&2; exit 3",
      );
      assert.deepEqual(result, { code: 3, stdout: "a\n", stderr: "b\n" });
      await assert.rejects(pair.left.run("false"), /false: status 1/);
      child = pair.right.spawn(["sleep", "60"]);
      const present = await namespaces();
      assert.ok(names.every((name) => present.includes(name)));
    }
    assert.equal((await child.status).signal, "SIGKILL");
    const present = await namespaces();
    assert.ok(names.every((name) => !present.includes(name)));
  },
);

testWith(
  [...NETNS_NEEDS, "tool:true"],
  "what a killed test run left behind is removed by the next",
  async () => {
    // A process that has ended: its number is nobody's now.
    const ended = commandOf(["true"]).spawn();
    await ended.status;
    const stale = `sp-test-${ended.pid}-0l`;
    await runCommand(["ip", "netns", "add", stale]);
    assert.ok((await namespaces()).includes(stale));
    await using _pair = await makeNamespacePair();
    assert.ok(!(await namespaces()).includes(stale));
  },
);
