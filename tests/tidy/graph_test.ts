import { deepEqual } from "node:assert/strict";
import ts from "typescript";
import { circles, mutualFolders } from "./graph.ts";
import type { Source } from "./source.ts";

function source(path: string, ...names: string[]): Source {
  const text = "";
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  return { path, text, tree, names };
}

Deno.test("folders that import each other are found, at every depth, and by two ways round", () => {
  deepEqual(
    mutualFolders([
      source("a/x/one.ts", "a/y/two.ts"),
      source("a/y/three.ts", "a/x/four.ts"),
      source("a/y/two.ts"),
      source("a/x/four.ts"),
    ]),
    ["a/x/one.ts names a/y/two.ts, a/y/three.ts names a/x/four.ts"],
  );
  deepEqual(
    mutualFolders([
      source("a/one.ts", "a/y/two.ts"),
      source("a/y/two.ts", "a/one.ts"),
    ]).length,
    1,
  );
  deepEqual(
    mutualFolders([source("a/one.ts", "b/two.ts"), source("b/two.ts")]),
    [],
  );
});

Deno.test("circles of files are found, and what only leads to one is not in it", () => {
  deepEqual(
    circles([
      source("a.ts", "b.ts"),
      source("b.ts", "c.ts"),
      source("c.ts", "b.ts", "d.ts"),
      source("d.ts"),
    ]),
    [["b.ts", "c.ts"]],
  );
});
