import { deepEqual, ok, rejects } from "node:assert/strict";
import { compileModule } from "../../../services/loader/compile.ts";
import { DEPTH_MAX, TOKENS_MAX } from "../../../services/loader/limits.ts";
import { loadModule, MODULE_BYTES_MAX } from "../../../services/loader/load.ts";
import { ModuleError } from "../../../services/loader/module_error.ts";
import { runCommand } from "../../command.ts";
import { testWith } from "../../needs.ts";

/** Syntax in syntax, `n` deep. */
const NESTED: Readonly<Record<string, (n: number) => string>> = {
  "sums": (n) => `${"1+".repeat(n)}1`,
  "parentheses": (n) => `${"(".repeat(n)}1${")".repeat(n)}`,
  "lists": (n) => `${"[".repeat(n)}${"]".repeat(n)}`,
  "conditions": (n) => `${"a?b:".repeat(n)}c`,
  "negations": (n) => `${"!".repeat(n)}1`,
  "functions": (n) => `${"()=>".repeat(n)}1`,
  "calls": (n) => `f${"()".repeat(n)}`,
  "templates": (n) => `${"`${".repeat(n)}1${"}`".repeat(n)}`,
};

async function refusalOf(text: string): Promise<string | undefined> {
  try {
    await compileModule(`export default ${text}`, "mine.ts");
    return undefined;
  } catch (error) {
    ok(error instanceof ModuleError, String(error));
    deepEqual(error.problems, []);
    return error.message;
  }
}

for (const [what, make] of Object.entries(NESTED)) {
  Deno.test(`of ${what} in each other as many are taken as the limit says, and one more is refused in words`, async () => {
    // How many levels one step of this kind is, and how many are around it.
    let most = 0;
    for (let step = DEPTH_MAX; step >= 1; step = Math.floor(step / 2)) {
      while (await refusalOf(make(most + step)) === undefined) most += step;
    }
    ok(most >= DEPTH_MAX / 3 - 2 && most <= DEPTH_MAX, `${most}`);
    for (const n of [most + 1, 2 * DEPTH_MAX, 20_000]) {
      ok(
        /lies more than 500 deep in syntax/.test(
          await refusalOf(make(n)) ?? "",
        ),
      );
    }
  });
}

Deno.test("syntax lies 500 deep in syntax at the most", async () => {
  // The file, its statement, and a number at the end.
  const negations = (depth: number) => `${"!".repeat(depth - 2)}1`;
  ok(await refusalOf(negations(DEPTH_MAX)) === undefined);
  ok(await refusalOf(negations(DEPTH_MAX + 1)) !== undefined);
});

Deno.test("a module of as many tokens as the limit says is compiled, and of more is refused in words", async () => {
  // `export`, `default` and two brackets are four; a last comma is one more.
  const list = (n: number) =>
    `[${"1,".repeat((n - 4) >> 1)}${(n & 1) === 1 ? "1" : ""}]`;
  ok(await refusalOf(list(TOKENS_MAX)) === undefined);
  const refusal = await refusalOf(list(TOKENS_MAX + 1));
  ok(/more than 250000 tokens/.test(refusal ?? ""), refusal);
});

testWith(
  ["linux", "tool:mkfifo"],
  "what is no regular file, or never ends, is refused in words and not read",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "sallyport-" });
    try {
      const pipe = `${folder}/pipe.ts`;
      await runCommand(["mkfifo", pipe]);
      for (const path of ["/dev/zero", pipe, folder]) {
        await rejects(loadModule(path), (error) => {
          ok(error instanceof ModuleError);
          ok(/it is no regular file/.test(error.message), error.message);
          return true;
        });
      }
      // A file without a size of its own that is longer than it says.
      await rejects(loadModule("/proc/kallsyms"), /too large|cannot read it/);
      const large = `${folder}/large.ts`;
      const end = "\nexport default () => {};";
      const text = (bytes: number) =>
        `//${" ".repeat(bytes - end.length - 2)}${end}`;
      await Deno.writeTextFile(large, text(MODULE_BYTES_MAX));
      await loadModule(large);
      await Deno.writeTextFile(large, text(MODULE_BYTES_MAX + 1));
      await rejects(loadModule(large), {
        message: `${large}: it is too large; expected at most 4194304 bytes`,
        problems: [],
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
