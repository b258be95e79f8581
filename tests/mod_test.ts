/** The library, as a program of somebody else's has it. */

import { deepEqual, equal, match } from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { denoRun } from "./child.ts";

const MODULE = new URL("../mod.ts", import.meta.url).href;

/** Runs `program` in a folder of its own, with a configuration of its own. */
async function runImporter(
  program: string,
  options: { readonly unstable?: readonly string[]; readonly flags?: string[] },
): Promise<{ code: number; lines: readonly string[]; errors: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "importer" });
  try {
    const { unstable = [], flags = [] } = options;
    const { imports } = config;
    Deno.writeTextFileSync(
      `${folder}/deno.json`,
      JSON.stringify({ imports, unstable, lock: false }),
    );
    Deno.writeTextFileSync(
      `${folder}/main.ts`,
      program.replace("MODULE", JSON.stringify(MODULE)),
    );
    return await denoRun([...flags, "main.ts"], folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const ANSWERS_PINGS = `
import { boot, defaultManifest } from MODULE;
const system = await boot(defaultManifest(), { confined: CONFINED });
let peer;
do {
  await new Promise((resolve) => setTimeout(resolve, 20));
  peer = (await system.snapshot()).peer;
} while ((peer["ping-answered"] ?? 0) < 10);
await system.stop();
console.log("answered");
`;

Deno.test("a program that imports the library, and does nothing, ends by itself and says nothing", async () => {
  const output = await runImporter("import MODULE;", {});
  deepEqual(output, { code: 0, lines: [], errors: "" });
});

Deno.test("a program that has types checked by Deno's own settings can import the library", async () => {
  const flags = ["--check"];
  const { code, errors } = await runImporter("import MODULE;", { flags });
  equal(code, 0, errors);
});

Deno.test("a program without any permission answers pings in its own thread", async () => {
  const program = ANSWERS_PINGS.replace("CONFINED", "false");
  const { code, lines, errors } = await runImporter(program, {});
  equal(code, 0, errors);
  deepEqual(lines, ["answered"]);
});

const HEARS_NO = `
import { boot, defaultManifest } from MODULE;
try {
  await boot(defaultManifest(), { confined: true });
} catch (error) {
  console.log(error.message);
}
console.log("still alive");
`;

for (const flags of [[], ["--allow-all"]]) {
  const how = flags.length === 0 ? "without permissions" : "with all of them";
  Deno.test(`a program ${how} that may not confine workers is told so, and lives`, async () => {
    const { code, lines, errors } = await runImporter(HEARS_NO, { flags });
    equal(code, 0, errors);
    equal(lines.length, 2);
    match(lines[0]!, /add "unstable": \["worker-options"\] to its deno\.json/);
    equal(lines[1], "still alive");
  });
}

Deno.test("a program that may confine workers does, by its deno.json or by a flag", async () => {
  const program = ANSWERS_PINGS.replace("CONFINED", "true");
  const read = "--allow-read"; // of the workers' modules
  for (
    const options of [
      { unstable: ["kv", "worker-options"], flags: [read] },
      { flags: [read, "--unstable-worker-options"] },
    ]
  ) {
    const { code, lines, errors } = await runImporter(program, options);
    equal(code, 0, errors);
    deepEqual(lines, ["answered"]);
  }
});
