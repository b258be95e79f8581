/** Children that are started and fed by the C library. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { O_RDWR } from "../../../drivers/sys/abi.ts";
import { ChildProcess } from "../../../drivers/sys/child_process.ts";
import { IoVectors } from "../../../drivers/sys/io_vectors.ts";
import { addressOf, libc } from "../../../drivers/sys/libc.ts";
import { SystemError } from "../../../drivers/sys/system_error.ts";
import { testWith } from "../../needs.ts";
import { testProperty } from "../../property.ts";
import {
  namesIn,
  POLLOUT,
  ready,
  startChild,
  statusOf,
  until,
} from "./children.ts";

const SIGSTOP = 19;
const SIGCONT = 18;

/** Bytes that are not the same anywhere nearby. */
function someBytes(count: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    return state >>> 16;
  });
}

/** Waits until a child has become its program, and waits itself for what comes. */
function isProgram(pid: number, name: string): void {
  until(
    () =>
      statusOf(pid, "Name") === name && /^S/.test(statusOf(pid, "State")) ||
      undefined,
    `process ${pid} to be ${name}`,
  );
}

interface Piece {
  readonly sizeBytes: number;
  readonly lent: boolean;
}

testProperty(
  "bytes go through a child whole and in order, in whatever pieces they are written, lent and read",
  { runs: 30, file: import.meta.url, needs: ["linux", "tool:cat"] },
  fc.property(
    fc.array(
      fc.record({
        sizeBytes: fc.oneof(fc.nat(200), fc.nat(200_000)),
        lent: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    fc.array(fc.integer({ min: 16, max: 100_000 }), { minLength: 1 }),
    fc.constantFrom(4096, 65_536, 1 << 20),
    (pieces: readonly Piece[], readSizes, pipeBytes) => {
      using child = startChild(["cat"], { pipeBytes });
      const total = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const sent = someBytes(total);
      const received = new Uint8Array(total);
      let [at, got, reads] = [0, 0, 0];
      for (const { sizeBytes, lent } of pieces) {
        const end = at + sizeBytes;
        while (at < end) {
          const taken = lent
            ? child.lend(sent, at, end)
            : child.write(sent, at, end);
          assert.ok(taken >= 0);
          at += taken;
          const to = got + readSizes[reads++ % readSizes.length]!;
          got += child.read(received, got, Math.min(to, total));
        }
      }
      while (got < total) {
        ready(child.output);
        const to = got + readSizes[reads++ % readSizes.length]!;
        got += child.read(received, got, Math.min(to, total));
      }
      assert.deepEqual(received, sent);
      assert.equal(child.unread(), 0);
      assert.equal(child.read(new Uint8Array(1), 0, 1), 0);
    },
  ),
);

testWith(
  ["linux", "tool:cat"],
  "a full pipe takes nothing more, says so, and loses nothing",
  () => {
    for (const how of ["write", "lend"] as const) {
      using child = startChild(["cat"], { pipeBytes: 131_072 });
      isProgram(child.pid, "cat");
      libc().kill(child.pid, SIGSTOP);
      const sent = someBytes(1 << 20);
      let taken = 0;
      for (;;) {
        const some = child[how](sent, taken, sent.length);
        if (some === 0) break;
        taken += some;
      }
      assert.ok(taken > 65_536, `${taken} bytes`);
      assert.ok(taken < sent.length);
      assert.equal(child.unread(), taken);
      assert.equal(child[how](sent, taken, taken + 1), 0);
      libc().kill(child.pid, SIGCONT);
      const received = new Uint8Array(taken);
      for (let got = 0; got < taken;) {
        ready(child.output);
        got += child.read(received, got, taken);
      }
      assert.deepEqual(received, sent.slice(0, taken));
      ready(child.input, POLLOUT);
      assert.equal(child[how](sent, 0, 1), 1);
    }
  },
);

testWith(
  ["linux", "tool:cat"],
  "what was lent is read as it is in memory when it is read, and only then no longer unread",
  () => {
    using child = startChild(["cat"]);
    isProgram(child.pid, "cat");
    libc().kill(child.pid, SIGSTOP);
    const memory = new WebAssembly.Memory({
      initial: 2,
      maximum: 2,
      shared: true,
    });
    const page = new Uint8Array(memory.buffer);
    page.set(someBytes(3000), 4096);
    assert.equal(child.lend(page, 4096, 7096), 3000);
    assert.equal(child.unread(), 3000);
    const changed = someBytes(3000, 7);
    page.set(changed, 4096);
    libc().kill(child.pid, SIGCONT);
    const received = new Uint8Array(3000);
    for (let got = 0; got < 3000;) {
      ready(child.output);
      got += child.read(received, got, 3000);
    }
    assert.deepEqual(received, changed, "it was copied when it was lent");
    assert.equal(child.unread(), 0);
  },
);

testWith(
  ["linux", "tool:cat"],
  "what is lent is of the memory that is said, whatever was lent before",
  () => {
    using child = startChild(["cat"]);
    const [first, second] = [someBytes(9000), someBytes(9000, 5)];
    const parts = [[first, 10], [second, 4097], [first, 8000]] as const;
    for (const [bytes, start] of parts) {
      assert.equal(child.lend(bytes, start, start + 1000), 1000);
    }
    const received = new Uint8Array(3000);
    for (let got = 0; got < 3000;) {
      ready(child.output);
      got += child.read(received, got, 3000);
    }
    const lent = parts.flatMap(([bytes, start]) => [
      ...bytes.subarray(start, start + 1000),
    ]);
    assert.deepEqual(received, new Uint8Array(lent));
  },
);

testWith(
  ["linux", "tool:cat"],
  "readv() fills one place after the other",
  () => {
    using child = startChild(["cat"]);
    const sent = someBytes(1000);
    const page = new Uint8Array(8192);
    const base = Number(addressOf(page));
    const places = new IoVectors(3);
    places.point(0, base + 10, 100);
    places.point(1, base + 5000, 300);
    places.point(2, base + 1000, 50);
    assert.equal(child.readv(places, 3), 0);
    assert.equal(child.write(sent, 0, 420), 420);
    ready(child.output);
    assert.equal(child.readv(places, 3), 420);
    assert.deepEqual(page.slice(10, 110), sent.slice(0, 100));
    assert.deepEqual(page.slice(5000, 5300), sent.slice(100, 400));
    assert.deepEqual(page.slice(1000, 1020), sent.slice(400, 420));
    page.fill(0, 10, 110).fill(0, 5000, 5300).fill(0, 1000, 1050);
    assert.ok(page.every((byte) => byte === 0), "it wrote elsewhere");
  },
);

testWith(
  ["linux", "tool:sh", "tool:sleep"],
  "who writes to a child that reads no more is told so, and lives",
  () => {
    using child = startChild(["sh", "-c", "exec <&-; echo closed; sleep 100"]);
    ready(child.output);
    const bytes = new Uint8Array(100_000);
    for (let tries = 0; tries < 3; tries++) {
      assert.equal(child.write(bytes, 0, 10), -1);
      assert.equal(child.lend(bytes, 0, bytes.length), -1);
    }
    assert.equal(child.ended(), undefined);
  },
);

testWith(
  ["linux", "tool:cat"],
  "a child that was disposed of moves nothing, whoever has its descriptors' numbers now",
  () => {
    const child = startChild(["cat"]);
    child[Symbol.dispose]();
    using other = startChild(["cat"]);
    const bytes = new Uint8Array(10);
    assert.equal(child.write(bytes, 0, 10), -1);
    assert.equal(child.lend(bytes, 0, 10), -1);
    assert.equal(child.read(bytes, 0, 10), -1);
    assert.equal(child.readError(bytes), -1);
    assert.equal(child.unread(), 0);
    assert.deepEqual([child.input, child.output, child.errorOutput], [
      -1,
      -1,
      -1,
    ]);
    assert.equal(other.unread(), 0);
    assert.deepEqual(child.ended(), { signal: 9 });
  },
);

testWith(
  ["linux", "tool:sleep"],
  "a child has three descriptors, nothing of the environment, the default signals and a group of its own",
  () => {
    // As somebody else might, who does not think of children.
    const path = new TextEncoder().encode("/dev/null\0");
    const careless = libc().open(path, O_RDWR);
    try {
      using child = startChild(["sleep", "100"]);
      isProgram(child.pid, "sleep");
      assert.deepEqual(namesIn(`/proc/${child.pid}/fd`), ["0", "1", "2"]);
      const proc = (name: string) =>
        Deno.readTextFileSync(`/proc/${child.pid}/${name}`);
      assert.equal(proc("environ"), "");
      for (const set of ["SigBlk", "SigIgn", "SigCgt"]) {
        assert.match(statusOf(child.pid, set), /^0+$/, set);
      }
      const [, , group] = proc("stat").replace(/^.*\) /, "").split(" ");
      assert.equal(Number(group), child.pid);
    } finally {
      libc().close(careless);
    }
    using child = startChild(["sleep", "100"], { environment: ["A=b", "C="] });
    isProgram(child.pid, "sleep");
    assert.equal(
      Deno.readTextFileSync(`/proc/${child.pid}/environ`),
      "A=b\0C=\0",
    );
  },
);

testWith(
  ["linux"],
  "a program that cannot be started is said in words, and leaves nothing",
  () => {
    const before = namesIn("/proc/self/fd");
    for (
      const [path, words] of [
        [
          "/nonesuch/program",
          /^\/nonesuch\/program: .*no such file.*a program that is there/i,
        ],
        ["/etc/passwd/x", /not a directory.*a program that is there/i],
        ["/etc/passwd", /permission denied.*this user may execute/i],
        ["/", /this user may execute/],
      ] as const
    ) {
      assert.throws(
        () => new ChildProcess({ command: [path] }),
        (error) => error instanceof SystemError && words.test(error.message),
      );
    }
    assert.throws(
      () => new ChildProcess({ command: ["/bin/x", "a\0b"] }),
      /argument has a zero: "a\\u0000b"/,
    );
    assert.throws(() => new ChildProcess({ command: [] }), /no program/);
    assert.deepEqual(namesIn("/proc/self/fd"), before);
  },
);

testWith(
  ["linux", "tool:cat"],
  "a part that is not there is neither read, written nor lent",
  () => {
    using child = startChild(["cat"]);
    const bytes = new Uint8Array(10);
    for (const [start, end] of [[-1, 5], [5, 4], [0, 11], [11, 11]] as const) {
      assert.throws(() => child.write(bytes, start, end), RangeError);
      assert.throws(() => child.lend(bytes, start, end), RangeError);
      assert.throws(() => child.read(bytes, start, end), RangeError);
    }
    assert.equal(child.write(bytes, 3, 3), 0);
    assert.equal(child.lend(bytes, 3, 3), 0);
    assert.equal(child.read(bytes, 3, 3), 0);
    assert.equal(child.readError(new Uint8Array(0)), 0);
    assert.equal(child.unread(), 0);
  },
);
