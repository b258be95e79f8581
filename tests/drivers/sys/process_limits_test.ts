/** A child's memory is limited, and nobody else's. */

import assert from "node:assert/strict";
import {
  endOf,
  outputOf,
  pathOf,
  startChild,
  startCommand,
  until,
} from "./children.ts";
import { limitData } from "../../../drivers/sys/process_limits.ts";
import { testWith } from "../../needs.ts";

/** Makes buffers of 16 MiB until there are no more, and goes on without them. */
const GREEDY = `
  const buffers = [];
  let failure;
  try {
    for (;;) buffers.push(new Uint8Array(1 << 24).fill(1));
  } catch (error) {
    failure = error;
  }
  const count = buffers.length;
  buffers.length = 0;
  console.log(count, failure instanceof RangeError);
  new Uint8Array(1024);
  console.log("alive");`;

testWith(
  ["linux", "tool:prlimit", "tool:cat"],
  "a child that wants more memory than it may have gets an error, and everybody else lives",
  () => {
    using other = startChild(["cat"]);
    const url = `data:text/javascript,${encodeURIComponent(GREEDY)}`;
    using child = startCommand(
      [Deno.execPath(), "run", "--quiet", "--no-prompt", url],
      { dataBytesMax: 3 << 28 },
    );
    const said = new TextDecoder().decode(outputOf(child));
    const [, count, rest] = /^(\d+) (.*)$/s.exec(said)!;
    assert.equal(rest, "true\nalive\n");
    // V8 takes half a gigabyte for its code.
    assert.ok(Number(count) > 4 && Number(count) < 48, said);
    assert.deepEqual(endOf(child), { code: 0 });
    const bytes = new Uint8Array([1, 2, 3]);
    assert.equal(other.write(bytes, 0, 3), 3);
    until(() => other.read(bytes, 0, 3) === 3 || undefined, "an echo");
    assert.equal(other.ended(), undefined);
  },
);

testWith(
  ["linux", "tool:prlimit", "tool:sleep"],
  "the limit is there from a program's beginning, and can be set while it runs",
  () => {
    const limitOf = (pid: number) =>
      /^Max data size +(\S+) +(\S+)/m.exec(
        Deno.readTextFileSync(`/proc/${pid}/limits`),
      )!.slice(1);
    const command = [pathOf("sleep"), "100"];
    using limited = startCommand(command, { dataBytesMax: 1 << 26 });
    until(
      () => limitOf(limited.pid)[0] === "67108864" || undefined,
      "the limit that it was started with",
    );
    assert.deepEqual(limitOf(limited.pid), ["67108864", "67108864"]);
    using other = startCommand(command);
    limitData(other.pid, 1 << 27);
    assert.deepEqual(limitOf(other.pid), ["134217728", "134217728"]);
    assert.deepEqual(limitOf(Deno.pid), limitOf(Deno.ppid));
  },
);

testWith(
  ["linux"],
  "a limit for a process that is not there is said in words",
  () => {
    // Beyond the most that Linux gives, PID_MAX_LIMIT.
    assert.throws(() => limitData(1 << 22, 1 << 27), /cannot limit its memory/);
  },
);
