/** What the READMEs show is what happens. */

import { deepEqual, equal, ok } from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { readOptions } from "../cli/command/options.ts";
import { readPlan, UP_HELP, UP_OPTIONS } from "../cli/up/options.ts";
import { defaultManifest } from "../services/manifest/manifest.ts";
import { denoRun } from "./child.ts";
import {
  type CodeBlock,
  codeBlocks,
  exists,
  prose,
  type Readme,
  readReadmes,
} from "./tidy/markdown.ts";

const README_LINES_MAX = 180;

const ROOT = new URL("../", import.meta.url);
const readmes = readReadmes();
const first = readmes.find(({ path }) => path === "README.md")!;

function blocksOf(language: string, readme?: Readme): CodeBlock[] {
  return (readme === undefined ? readmes : [readme]).flatMap(codeBlocks)
    .filter((block) => block.language === language);
}

Deno.test(`the first README has at most ${README_LINES_MAX} lines`, () => {
  const lines = first.text.split("\n").length - 1;
  ok(lines <= README_LINES_MAX, `it has ${lines}`);
});

/** Runs `step` in a folder with `files`, and the first README's deno.json beside them. */
async function inFolder<T>(
  files: Readonly<Record<string, string>>,
  step: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "readme" });
  try {
    const [settings] = blocksOf("json", first);
    const text = settings!.code.replace("../sallyport/", ROOT.pathname);
    await Deno.writeTextFile(`${folder}/deno.json`, text);
    for (const [name, code] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, code);
    }
    return await step(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the first program runs as the README says, and prints what it says", async () => {
  const [program] = blocksOf("ts", first);
  const { code, lines, errors } = await inFolder(
    { "main.ts": program!.code },
    (folder) => denoRun(["main.ts"], folder),
  );
  equal(code, 0, errors);
  equal(lines.length, 5);
  const printed = prose(first).replace(/\s+/g, " ");
  ok(printed.includes(`\`${lines[0]}\``), `it does not say ${lines[0]}`);
});

Deno.test("what a README has another program import is what the project imports", () => {
  const ours: Readonly<Record<string, string>> = config.imports;
  for (const { code, place } of blocksOf("json")) {
    const { imports = {} } = JSON.parse(code) as { imports?: typeof ours };
    for (const [name, target] of Object.entries(imports)) {
      if (target.startsWith("npm:")) equal(target, ours[name], place);
      else ok(exists(target.replace("../sallyport/", "")), place);
    }
  }
});

Deno.test("what a README interposes, a manifest takes", () => {
  for (const { code } of blocksOf("json")) {
    const { interpose } = JSON.parse(code) as { interpose?: [] };
    if (interpose === undefined) continue;
    defaultManifest({ services: { arp: { core: "arp", interpose } } });
  }
});

/** Programs of the other READMEs, by the name of a file for each. */
function programs(): Record<string, string> {
  const blocks = blocksOf("ts").filter(({ place }) =>
    !place.startsWith("README.md:")
  );
  return Object.fromEntries(blocks.map(({ code, place }) => [
    `${place.replace(/\W/g, "_")}.ts`,
    // A property is tried often enough elsewhere.
    code.replace(
      'import fc from "fast-check";\n',
      "$&fc.configureGlobal({ numRuns: 5 });\n",
    ),
  ]));
}

Deno.test("every program in a README passes the compiler, and runs", async () => {
  const files = programs();
  const names = Object.keys(files);
  ok(names.length >= 4);
  const settings = {
    imports: {
      ...config.imports,
      "@sallyport/sallyport": new URL("mod.ts", ROOT).href,
      "@sallyport/sallyport/testing": new URL("tests/testing.ts", ROOT).href,
    },
  };
  // The module of a service exports it, and does nothing else.
  const main = names.map((name) => `await import("./${name}");`).join("\n");
  const { code, errors } = await inFolder(
    { ...files, "main.ts": main, "deno.json": JSON.stringify(settings) },
    (folder) => denoRun(["--check", "main.ts"], folder),
  );
  equal(code, 0, errors);
});

Deno.test("what the library's header points at is exported", async () => {
  const text = await Deno.readTextFile(new URL("mod.ts", ROOT));
  const at = text.indexOf("*/");
  const exported = text.slice(at);
  const names = [...text.slice(0, at).matchAll(/\{@link (\w+)/g)]
    .map(([, name]) => name!);
  ok(names.length > 10);
  deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(exported)),
    [],
  );
});

/** The commands that READMEs show: alone on a line of a block, or in the text. */
function commands(): { readonly place: string; readonly words: string[] }[] {
  const shown = readmes.flatMap((readme) => [
    ...codeBlocks(readme).flatMap(({ code, place }) =>
      code.split("\n").map((line) => ({ place, line }))
    ),
    ...[...prose(readme).matchAll(/`([^`]+)`/g)].map(([, line]) => ({
      place: readme.path,
      line: line!.replace(/\s+/g, " "),
    })),
  ]);
  return shown.flatMap(({ place, line }) => {
    const command = /^(?:\$ )?(?:npx -y )?(?:deno(?:@2\.9\.6)? task )(.*)$/
      .exec(line)?.[1]?.replace(/ +#.*$/, "");
    if (command === undefined) return [];
    const words = [...command.matchAll(/'([^']*)'|[^\s']+/g)]
      .map(([word, quoted]) => quoted ?? word);
    return [{ place, words }];
  });
}

Deno.test("every command in a README is one, and its options are understood", async () => {
  ok(commands().length > 10);
  for (const { place, words: [task = "", ...args] } of commands()) {
    ok(task in config.tasks, `${place}: there is no task ${task}`);
    if (task === "bench") {
      for (const name of args.filter((arg) => /^[a-z]/.test(arg))) {
        ok(exists(`bench/${name}.ts`), `${place}: there is no bench ${name}`);
      }
    } else if (task === "start" && !args.includes("--help")) {
      const options = readOptions(args, UP_OPTIONS);
      const readText = (path: string) => Promise.reject(new Error(path));
      await readPlan(options, { readText });
    }
  }
});

/** The kinds of NIC that a text lists: `xdp`, `udp`. */
function kindsIn(forms: Iterable<RegExpMatchArray>): string[] {
  return [...new Set([...forms].map(([, kind]) => kind!))].sort();
}

Deno.test("the READMEs list every kind of NIC", () => {
  const help = UP_HELP.slice(
    UP_HELP.indexOf("\nNICs:"),
    UP_HELP.indexOf("\nservices of your own:"),
  );
  const kinds = kindsIn(help.matchAll(/^ {2}([a-z]+)(?=[:\s])/gm));
  ok(kinds.length >= 8);
  for (const path of ["README.md", "drivers/README.md"]) {
    const { text } = readmes.find((readme) => readme.path === path)!;
    const rows = text.slice(text.indexOf("| `--nic`")).split("\n\n")[0]!;
    const cells = rows.split("\n").map((row) => row.split("|")[1]).join("\n");
    deepEqual(kindsIn(cells.matchAll(/`([a-z]+)(?=[:`])/g)), kinds, path);
  }
});
