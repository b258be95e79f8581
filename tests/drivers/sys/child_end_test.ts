/** How children end, and that nothing is left of them. */

import assert from "node:assert/strict";
import { libc } from "../../../drivers/sys/libc.ts";
import { testWith } from "../../needs.ts";
import {
  endOf,
  errorsOf,
  hasEnded,
  isListed,
  namesIn,
  outputOf,
  ready,
  startChild,
  until,
} from "./children.ts";

const SIGTERM = 15;

testWith(
  ["linux", "tool:sh"],
  "a child's last words are read after its end, and how it ended is told as often as it is asked",
  () => {
    const word = "echo out; echo wrong >&2; exit 7";
    using child = startChild(["sh", "-c", word]);
    assert.deepEqual(endOf(child), { code: 7 });
    assert.deepEqual(child.ended(), { code: 7 });
    assert.equal(isListed(child.pid), false);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(text(outputOf(child)), "out\n");
    assert.equal(text(errorsOf(child)), "wrong\n");
    assert.equal(child.write(new Uint8Array(1), 0, 1), -1);
    assert.equal(child.unread(), 0);
  },
);

testWith(
  ["linux", "tool:sleep"],
  "a child that is killed by somebody else has ended by that signal",
  () => {
    for (const signal of [SIGTERM, 9]) {
      using child = startChild(["sleep", "100"]);
      assert.equal(child.ended(), undefined);
      libc().kill(child.pid, signal);
      assert.deepEqual(endOf(child), { signal });
      assert.equal(child.read(new Uint8Array(1), 0, 1), -1);
    }
  },
);

testWith(
  ["linux", "tool:sh"],
  "kill() ends a child that spins, and what ended before stays as it was",
  () => {
    using child = startChild(["sh", "-c", "while :; do :; done"]);
    child.kill();
    assert.deepEqual(endOf(child), { signal: 9 });
    child.kill();
    using other = startChild(["sh", "-c", "exit 2"]);
    assert.deepEqual(endOf(other), { code: 2 });
    other.kill();
    assert.deepEqual(other.ended(), { code: 2 });
    assert.deepEqual([child, other].filter(({ pid }) => isListed(pid)), []);
  },
);

testWith(
  ["linux", "tool:sh", "tool:sleep"],
  "what a child has started ends with it",
  () => {
    const started: number[] = [];
    for (const then of ["exit 0", "sleep 100"]) {
      using child = startChild(["sh", "-c", `sleep 100 & echo $!; ${then}`]);
      ready(child.output);
      const line = new Uint8Array(20);
      const text = new TextDecoder().decode(
        line.subarray(0, child.read(line, 0, 20)),
      );
      assert.match(text, /^\d+\n$/);
      started.push(Number(text));
      if (then === "exit 0") endOf(child);
    }
    for (const pid of started) {
      // Its parent now may be slow to take it out of the list.
      until(
        () => hasEnded(pid) || undefined,
        "a grandchild's end",
      );
    }
  },
);

testWith(
  ["linux", "tool:cat", "tool:sleep", "tool:sh"],
  "fifty children are started and ended, and nothing is left of them",
  () => {
    const before = namesIn("/proc/self/fd");
    const pids: number[] = [];
    const commands = [["cat"], ["sleep", "100"], ["sh", "-c", "exit 1"]];
    for (let turn = 0; turn < 50; turn++) {
      const [name, ...args] = commands[turn % commands.length]!;
      const child = startChild([name!, ...args]);
      pids.push(child.pid);
      if (turn % 2 === 0) child.write(new Uint8Array(1000), 0, 1000);
      if (turn % 5 === 0) libc().kill(child.pid, 9);
      child[Symbol.dispose]();
      child[Symbol.dispose]();
      assert.notEqual(child.ended(), undefined);
    }
    assert.deepEqual(pids.filter(isListed), []);
    assert.deepEqual(namesIn("/proc/self/fd"), before);
  },
);
