/**
 * Where deno std may be used. Who maps mod.ts from a clone would have to repeat
 * each of its aliases in a deno.json of their own, and gets no types for them;
 * and `deno pack` writes the aliases into a package as they are, where Node does
 * not find them. So nothing that the library or its kit for tests imports uses it.
 */

import { deepEqual } from "node:assert/strict";
import ts from "typescript";
import config from "../../deno.json" with { type: "json" };
import { nodesOf, reachedFrom, readSources, visit } from "./source.ts";

const TYPES = "tests/std.d.ts";

const sources = readSources();
const users = sources.filter(({ path }) => path !== TYPES);

/** Whether a node is the name of a module of std, in an import of any kind. */
function isStd(node: ts.Node): node is ts.StringLiteral {
  return ts.isStringLiteral(node) &&
    /^(@std\/|npm:deno-std|jsr:@std)/.test(node.text);
}

Deno.test("nothing that mod.ts or tests/testing.ts imports uses deno std", () => {
  const published = reachedFrom(sources, ["mod.ts", "tests/testing.ts"]);
  deepEqual(published.flatMap((source) => nodesOf(source, isStd)), []);
});

Deno.test("deno std is used in the command line, the tests and the benchmarks alone", () => {
  const wrong = users.filter(({ path }) => !/^(cli|tests|bench)\//.test(path))
    .flatMap((source) => nodesOf(source, isStd));
  deepEqual(wrong, []);
});

Deno.test("what deno.json names of deno std has types, and is used", () => {
  const named = Object.keys(config.imports).filter((name) =>
    name.startsWith("@std/")
  ).sort();
  const used = new Set<string>();
  for (const { path, tree } of users) {
    if (path.startsWith("tests/tidy/")) continue;
    visit(tree, (node) => isStd(node) && used.add(node.text));
  }
  deepEqual([...used].sort(), named);
  const { tree } = sources.find(({ path }) => path === TYPES)!;
  const typed = tree.statements.filter(ts.isModuleDeclaration)
    .map(({ name }) => name.text);
  deepEqual(typed.sort(), named);
});
