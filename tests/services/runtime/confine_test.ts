import assert from "node:assert/strict";
import { LANGUAGE_NAMES } from "./language_names.ts";

interface Told {
  readonly found: readonly string[];
  readonly ways: { readonly tried: number; readonly open: readonly string[] };
  readonly imports: Readonly<Record<string, string>>;
}

/** The flags that matter here of the task that starts a system (deno.json). */
const FLAGS = ["--no-prompt", "--cached-only", "--deny-import"];

/** What a worker with a service's permissions tells of itself, its process run with `flags`. */
async function probe(flags: readonly string[]): Promise<Told> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-read", ...flags],
      new URL("./confine_process.ts", import.meta.url).pathname,
    ],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(text !== "", new TextDecoder().decode(stderr));
  assert.doesNotMatch(new TextDecoder().decode(stderr), /Download/);
  return JSON.parse(text) as Told;
}

const told = await probe(FLAGS);

/** Off in the whole process, for what no worker takes away from itself. */
const NO_CODE_FROM_TEXT = "--v8-flags=--disallow-code-generation-from-strings";

Deno.test("the task that starts a system has the flags that confinement needs", async () => {
  const { default: config } = await import("../../../deno.json", {
    with: { type: "json" },
  });
  for (const task of [config.tasks.start, config.tasks.sallyport]) {
    for (const flag of [...FLAGS, NO_CODE_FROM_TEXT]) {
      assert.ok(task.split(" ").includes(flag), flag);
    }
  }
});

Deno.test("a confined worker finds no way out", () => {
  assert.deepEqual(told.ways.open, []);
  assert.ok(told.ways.tried > 60);
});

Deno.test("a worker that was not confined finds ways out: they are really tried", async () => {
  const { openChannels } = await import("../loader/channels.ts");
  const { open } = await openChannels();
  for (
    const way of [
      "Deno",
      "BroadcastChannel",
      "function from its constructor",
      "function by extending",
      "async generator",
      "indirect eval",
    ]
  ) assert.ok(open.includes(way), way);
});

/** What a confined worker has besides the language: time, text, random numbers, and what its shell takes its ports with. */
const GIVEN = `
  self setTimeout clearTimeout setInterval clearInterval performance crypto
  TextEncoder TextDecoder reportError
  MessagePort MessageEvent Event EventTarget ErrorEvent PromiseRejectionEvent
  onmessage onerror onunhandledrejection addEventListener removeEventListener
  dispatchEvent getParent constructor
`.trim().split(/\s+/);

Deno.test("a confined worker finds nothing but the language, and a few names more", () => {
  const expected = LANGUAGE_NAMES.union(new Set([...GIVEN]));
  const more = told.found.filter((name) => !expected.has(name));
  assert.deepEqual(more, []);
  assert.ok(told.found.length > 60, `${told.found.length} names`);
});

Deno.test("a confined worker loads no file and nothing from a network", () => {
  const { "node:worker_threads": _, ...imports } = told.imports;
  assert.deepEqual(imports, {
    "file:///etc/hostname": "refused",
    "https://example.invalid/x.ts": "refused",
    "npm:@sallyport/no-such-package": "refused",
    "node:fs": "refused",
  });
});

Deno.test("the runtime's own modules are what is left: code that may say import(…) is not confined", () => {
  // Known, and in the README: it is why foreign code has no import (loader/check.ts).
  assert.equal(told.imports["node:worker_threads"], "loaded");
});
