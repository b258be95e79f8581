import { deepEqual, equal, ok } from "node:assert/strict";
import { testWith } from "../needs.ts";
import { calibrate } from "./calibration.ts";
import { coveredLines } from "./coverage.ts";
import { childrenCpuS, runFile } from "./run_file.ts";

/** Lines of a program with a worker, a child process, and a branch that nothing takes. */
const HALF = `export function half(n: number): number {
  if (n % 2 !== 0) {
    throw new RangeError();
  }
  return n / 2;
}
`;

const FILES: Readonly<Record<string, string>> = {
  "half.ts": HALF,
  "third.ts": HALF.replace("half", "third"),
  "worker.ts": `import { half } from "./half.ts"; postMessage(half(4));`,
  "child.ts": `import { third } from "./third.ts"; console.log(third(4));`,
  "works_test.ts": `Deno.test("works", async () => {
    const worker = new Worker(import.meta.resolve("./worker.ts"), { type: "module" });
    await new Promise((done) => worker.onmessage = done);
    worker.terminate();
    const args = ["run", "child.ts"];
    await new Deno.Command(Deno.execPath(), { args }).output();
  });`,
  "fails_test.ts": `Deno.test("fails", () => { throw new Error(); });`,
  "loops_test.ts": `Deno.test("loops", () => { while (true); });`,
  "waits_test.ts": `Deno.test("waits", () =>
    new Promise((done) => setTimeout(done, 1e8)));`,
};

/** A folder with these files; disposal removes it. */
function sources() {
  const folder = Deno.makeTempDirSync({ prefix: "sallyport-" });
  for (const [name, text] of Object.entries(FILES)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const remove = () => Deno.removeSync(folder, { recursive: true });
  return { folder, [Symbol.dispose]: remove };
}

testWith(
  ["tool:sh"],
  "a run says how it ended, and ends at its limits",
  async () => {
    using made = sources();
    const run = (test: string, cpuS: number, wallMs: number) =>
      runFile({ folder: made.folder, test, env: {}, cpuS, wallMs });
    equal(await run("works_test.ts", 60, 60_000), "passed");
    equal(await run("fails_test.ts", 60, 60_000), "failed");
    equal(await run("loops_test.ts", 1, 60_000), "looped");
    equal(await run("waits_test.ts", 60, 1_000), "late");
  },
);

testWith(
  ["tool:sh"],
  "a file covers what its workers and child processes run, and nothing else",
  async () => {
    using made = sources();
    const { lines, cpuS, hasProperties } = await calibrate(
      made.folder,
      "works_test.ts",
      {},
    );
    for (const file of ["half.ts", "third.ts"]) {
      const run = lines.get(file)!;
      deepEqual([1, 3, 5].map((line) => run.has(line)), [true, false, true]);
    }
    ok(cpuS > 0);
    equal(hasProperties, false);
  },
);

testWith(
  ["tool:sh"],
  "a file that fails without a change is an error",
  async () => {
    using made = sources();
    const failed = await calibrate(made.folder, "fails_test.ts", {})
      .catch((error: Error) => error.message);
    equal(failed, "fails_test.ts fails without a change");
  },
);

Deno.test("lines are covered that were run at least once, of files in the folder", () => {
  const lcov = `SF:/tmp/a/b.ts
DA:1,1
DA:2,0
DA:30,200
end_of_record
SF:/tmp/ab/c.ts
DA:4,1
end_of_record
`;
  const lines = coveredLines(lcov, "/tmp/a");
  deepEqual([...lines], [["b.ts", new Set([1, 30])]]);
});

Deno.test("what child processes used is the second line of a shell's times", () => {
  equal(childrenCpuS("0m0.00s 0m0.01s\n1m2.50s 0m0.25s\n"), 62.75);
});
