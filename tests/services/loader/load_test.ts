import { deepEqual, equal, rejects } from "node:assert/strict";
import type { ModuleError } from "../../../services/loader/module_error.ts";
import { loadModule } from "../../../services/loader/load.ts";

/** Calls `use` with a path for a file of these bytes. */
async function withFile(
  bytes: Uint8Array,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-" });
  try {
    await Deno.writeFile(`${folder}/mine.ts`, bytes);
    await use(`${folder}/mine.ts`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("a module is loaded from a path and from a file URL alike, with every character of its text", async () => {
  const said = "Grüße, % & # ? + \\u{1f600} 😀";
  const text = `const said: string = ${JSON.stringify(said)};
    export default said;`;
  await withFile(encode(text), async (path) => {
    const url = await loadModule(path);
    equal(url, await loadModule(new URL(`file://${path}`).href));
    equal(url.startsWith("data:text/javascript;charset=utf-8,"), true);
    equal((await import(url)).default, said);
  });
});

Deno.test("what cannot be read, or is no text, is refused with its path and why", async () => {
  await rejects(loadModule("/nowhere/mine.ts"), (error: Error) => {
    equal(error.name, "ModuleError");
    deepEqual((error as ModuleError).problems, []);
    return /^\/nowhere\/mine\.ts: cannot read it \(.+\)$/.test(error.message);
  });
  await withFile(Uint8Array.of(0x2f, 0x2f, 0xff), async (path) => {
    await rejects(loadModule(path), {
      name: "ModuleError",
      message: `${path}: it is not text in UTF-8`,
      problems: [],
    });
  });
});
