/** `.ci/run` on machines that are made up: what it installs, counts and says at last. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { commandOf } from "./command.ts";
import { testWith } from "./needs.ts";
import packages from "./packages.json" with { type: "json" };

const RUN = new URL("../.ci/run", import.meta.url).pathname;
const ALL = [...new Set(Object.values(packages).map((one) => one.package))]
  .sort();

/** A machine: what each of its programs does, as a shell script. */
interface Machine {
  readonly programs: Readonly<Record<string, string>>;
  /** Whether it has Debian's usual programs beside them, `apt-get` too. */
  readonly usual: boolean;
}

interface Outcome {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: string;
  /** What `apt-get` was asked for. */
  readonly asked: readonly string[];
}

/** Programs of every machine that `.ci/run` may count on. */
const BASE = ["bash", "dirname", "grep", "mktemp", "rm", "sed", "sort", "tail"];

async function runOn({ programs, usual }: Machine): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-ci-" });
  try {
    for (const [name, body] of Object.entries(programs)) {
      const script = `#!/bin/sh\n${body}\n`;
      await Deno.writeTextFile(`${folder}/${name}`, script, { mode: 0o755 });
    }
    const log = `${folder}/asked`;
    if (!usual) {
      for (const name of [...BASE, "tee"]) {
        await Deno.symlink(`/usr/bin/${name}`, `${folder}/${name}`);
      }
    }
    const path = usual ? `${folder}:/usr/bin:/bin` : folder;
    const output = await commandOf(["bash", RUN], {
      env: { PATH: path, ASKED: log },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const asked = await Deno.readTextFile(log).catch(() => "");
    return {
      code: output.code,
      lines: decoder.decode(output.stdout).trimEnd().split("\n"),
      errors: decoder.decode(output.stderr),
      asked: asked.split("\n").filter((line) => line !== ""),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const APT = 'echo "$*" >> "$ASKED"';
const PASSES = 'echo "ok | 553 passed (2 steps) | 0 failed (2m7s)"';

testWith(
  ["linux", "tool:bash"],
  "a bare machine gets every package that a test needs, before the tests run",
  async () => {
    const { code, lines, asked } = await runOn({
      usual: true,
      programs: { "apt-get": APT, "dpkg": "exit 1", "npx": PASSES },
    });
    strictEqual(code, 0);
    strictEqual(lines.at(-1), "553 passed, 0 failed, 0 skipped");
    const [update, install] = asked;
    strictEqual(update, "update -qq");
    deepStrictEqual(
      install!.split(" ").filter((word) => !/^(-.*|install)$/.test(word)),
      ALL,
    );
  },
);

testWith(
  ["linux", "tool:bash"],
  "nothing is installed where all is there, and the tests' failure is its own",
  async () => {
    const { code, lines, asked } = await runOn({
      usual: true,
      programs: {
        "apt-get": APT,
        "dpkg": "exit 0",
        "npx":
          'echo "FAILED | 3 passed | 2 failed | 1 ignored (7s)"; echo; exit 1',
      },
    });
    strictEqual(code, 1);
    strictEqual(lines.at(-1), "3 passed, 2 failed, 1 skipped");
    deepStrictEqual(asked, []);
  },
);

testWith(
  ["linux", "tool:bash"],
  "a machine without apt, and one whose packages cannot be had, still run the tests",
  async () => {
    const without = await runOn({ usual: false, programs: { "npx": PASSES } });
    strictEqual(without.code, 0, without.errors);
    strictEqual(without.lines.at(-1), "553 passed, 0 failed, 0 skipped");
    strictEqual(without.errors, "");
    const refusing = await runOn({
      usual: true,
      programs: { "apt-get": "exit 100", "dpkg": "exit 1", "npx": PASSES },
    });
    strictEqual(refusing.code, 0);
    strictEqual(
      refusing.errors,
      `some of these could not be installed: ${ALL.join(" ")}\n`,
    );
  },
);

testWith(
  ["linux", "tool:bash"],
  "tests that say nothing count as none",
  async () => {
    const { code, lines } = await runOn({
      usual: true,
      programs: { "dpkg": "exit 0", "npx": "echo killed; exit 137" },
    });
    strictEqual(code, 137);
    strictEqual(lines.at(-1), "0 passed, 0 failed, 0 skipped");
  },
);
