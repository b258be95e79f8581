import { deepEqual } from "node:assert/strict";
import ts from "typescript";
import { needlessExports } from "./exports.ts";
import { readSources, type Source } from "./source.ts";

/** What the project is to others: all that these export is for them. */
const ENTRIES = ["mod.ts", "tests/testing.ts"];

Deno.test("nothing is exported that only its own file uses", () => {
  deepEqual(needlessExports(readSources(), ENTRIES), []);
});

function source(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, tree, names: [] };
}

Deno.test("what is imported, re-exported, or mentioned by a signature that is, is needed", () => {
  const sources = [
    source("a/mod.ts", 'export { open } from "./open.ts"; export const x = 1;'),
    source(
      "a/open.ts",
      "export interface Options {}\nexport type Inner = 1;\n" +
        "export class Door { #x: Inner; locked(): Lock { let a: Inner } }\n" +
        "export type Lock = 1;\n" +
        "export function open(options: Options): Door { return shut(); }\n" +
        "export function shut() {}\nexport const MAX = 1;\nexport default 1;",
    ),
    source("a/all.ts", 'import * as all from "./every.ts";'),
    source("a/every.ts", "export const one = 1;"),
  ];
  deepEqual(needlessExports(sources, ["a/mod.ts"]), [
    "a/open.ts:2 Inner",
    "a/open.ts:6 shut",
    "a/open.ts:7 MAX",
  ]);
});
