/** No test runs a program of the machine that the list of packages does not know. */

import { deepEqual, ok } from "node:assert/strict";
import ts from "typescript";
import packages from "../packages.json" with { type: "json" };
import { nodesOf, readSources } from "./source.ts";

const sources = readSources();
const runners = sources.filter(({ path }) => /^(tests|bench)\//.test(path));

/** The first argument of `new Deno.Command(…)` or `hasProgram(…)`, if `node` is one. */
function programOf(node: ts.Node): ts.Expression | undefined {
  const isRun = ts.isNewExpression(node) || ts.isCallExpression(node);
  if (
    !isRun || !/^(Deno\.Command|hasProgram)$/.test(node.expression.getText())
  ) {
    return undefined;
  }
  return node.arguments?.[0];
}

Deno.test("tests run programs by tests/command.ts, which asks whether they are needed", () => {
  const wrong = runners.filter(({ path }) =>
    path.startsWith("tests/") && path !== "tests/command.ts" &&
    path !== "tests/needs.ts"
  ).flatMap((source) =>
    nodesOf(source, (node) => {
      const program = programOf(node);
      return program !== undefined && program.getText() !== "Deno.execPath()";
    })
  );
  deepEqual(wrong, []);
});

Deno.test("nobody runs programs by another module", () => {
  const wrong = runners.flatMap((source) =>
    nodesOf(source, (node) =>
      ts.isImportDeclaration(node) &&
      /^.(node:)?child_process.$/.test(node.moduleSpecifier.getText()))
  );
  deepEqual(wrong, []);
});

/** What benchmarks run where it happens to be there, and say where it is not. */
const OPTIONAL = ["node"];

Deno.test("benchmarks run programs of the list", () => {
  const bench = runners.filter(({ path }) => path.startsWith("bench/"));
  const wrong = bench.flatMap((source) =>
    nodesOf(source, (node) => {
      const program = programOf(node);
      if (program === undefined || !ts.isStringLiteral(program)) return false;
      return !Object.hasOwn(packages, program.text) &&
        !OPTIONAL.includes(program.text);
    })
  );
  deepEqual(wrong, []);
});

Deno.test("everything in the list is for something: a program or library that is run, a header that is read", () => {
  const reference = new URL("../../bench/reference/", import.meta.url);
  const sources = [...Deno.readDirSync(reference)].filter(({ name }) =>
    /\.[ch]$/.test(name)
  );
  const code = sources.map(({ name }) =>
    Deno.readTextFileSync(new URL(name, reference))
  ).concat(runners.map(({ text }) => text)).join("\n");
  const idle = Object.keys(packages).filter((name) =>
    ![`"${name}"`, `:${name}"`, `<${name}>`].some((use) => code.includes(use))
  );
  deepEqual(idle, []);
  ok(Object.values(packages).every((one) => one.for.length > 0));
});
