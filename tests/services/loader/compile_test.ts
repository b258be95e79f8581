import { equal, ok, rejects } from "node:assert/strict";
import { compileModule } from "../../../services/loader/compile.ts";
import { ModuleError } from "../../../services/loader/module_error.ts";

const END = "\nexport default 1;\n";

/** Text that reaches for code outside it, and where the error must point. */
const REFUSED: readonly (readonly [text: string, at: string, says: RegExp])[] =
  [
    ['import "x";', "1:1", /bundle it into one file first \(deno bundle/],
    ['\n  import a from "x"; a;', "2:3", /bundle/],
    ['import * as a from "x"; a;', "1:1", /bundle/],
    ['import { a, type B } from "x"; a;', "1:1", /bundle/],
    ['import { A } from "x";', "1:1", /write "import type"/],
    ['import {} from "x";', "1:1", /bundle/],
    ['import defer * as a from "x"; a;', "1:1", /bundle/],
    ['import j from "x" with { type: "json" }; j;', "1:1", /bundle/],
    ['import d, { type A } from "x"; d;', "1:1", /bundle/],
    ['import d from "x"; d;', "1:1", /bundle/],
    ['import fs = require("fs");', "1:1", /bundle/],
    ['export { a } from "x";', "1:1", /bundle/],
    ['export * from "x";', "1:1", /bundle/],
    ['export * as a from "x";', "1:1", /bundle/],
    ['const a = import("x");', "1:11", /loads nothing while it runs/],
    ["import(/* x */ `x`);", "1:1", /loads nothing/],
    ["const a = `${`${import('x')}`}`;", "1:17", /loads nothing/],
    ["/[/]/; import('x'); // ]/", "1:8", /loads nothing/],
    ["1 /2/ import('x');", "1:7", /loads nothing/],
    ["/* */ (0, async () => await import('x'));", "1:29", /loads nothing/],
    ["class A { static { import('x'); } }", "1:20", /loads nothing/],
    ["class A { [import('x')] = 1 }", "1:12", /loads nothing/],
    ["let { a = import('x') } = {};", "1:11", /loads nothing/],
    ["import.meta.url;", "1:1", /"import\.meta"/],
    ["import.source('x');", "1:1", /import/],
    ["<!-- import('x')\n1;", "1:6", /loads nothing/],
    ["\\u0069mport('x');", "1:1", /escape/],
    ["import source a from 'x';", "1:1", /./],
    ["eval('1');", "1:1", /write a function/],
    ["(0, eval)('1');", "1:5", /write a function/],
    ["\\u0065val('1');", "1:1", /write a function/],
    ["globalThis.eval('1');", "1:12", /write a function/],
    ["new Function('1');", "1:5", /write a function/],
    ["Function('1');", "1:1", /write a function/],
    ["require('x');", "1:1", /bundle/],
    ["const a = {;", "1:12", /expected|assignment/],
    ["let a = <div>import('x')</div>;", "1:14", /loads nothing/],
  ];

for (const [text, at, says] of REFUSED) {
  Deno.test(`refused with its place: ${JSON.stringify(text)}`, async () => {
    await rejects(compileModule(text + END, "a.ts"), (error) => {
      ok(error instanceof ModuleError);
      const { message, problems } = error;
      const lines = message.split("\n");
      ok(
        lines.some((line) =>
          line.startsWith(`a.ts:${at}: `) && says.test(line)
        ),
        message,
      );
      equal(lines.length, problems.length);
      return true;
    });
  });
}

/** Text that says the same words without meaning them. */
const ACCEPTED = [
  'import type { A } from "x"; const a: A | undefined = undefined; a;',
  'import { type A, type B } from "x"; let a: A & B;',
  'import type A = require("x"); let a: A;',
  'export type { A } from "x";',
  'let a: import("x").A;',
  "const a = { import: 1, require: 2 }; a.import;",
  "const a = \"import('x')\"; const b = `import('x')`; const c = /import('x')/;",
  "// import('x')\n/* eval('1') */",
  "const a = (() => {}) instanceof Function; let f: Function;",
  "const f = (...all: unknown[]) => all; const require = 1; f(Function, require);",
  "const require = { a: 1 }; require.a; Function.prototype.call;",
  "class T { a = 1; constructor() { new.target; } }",
  "enum E { A } namespace N { export const a = E.A }",
  "class A { accessor b = 1; #c = 2; constructor(readonly d: number) {} }",
  "await 0; using a = null;",
];

for (const text of ACCEPTED) {
  Deno.test(`accepted: ${JSON.stringify(text)}`, async () => {
    const code = await compileModule(text + END, "a.ts");
    // What comes out is a module to the engine too, and asks for no other.
    const url = `data:text/javascript,${encodeURIComponent(code)}`;
    equal((await import(url)).default, 1);
  });
}

Deno.test("a default export is asked for, in any of its forms", async () => {
  for (
    const text of [
      "export default () => {};",
      "export default function () {}",
      "export default class {}",
      "const a = 1; export { a as default };",
    ]
  ) await compileModule(text, "a.ts");
  for (
    const text of [
      "",
      "export const a = 1;",
      "export = 1;",
      "export function f() {}",
      "export class A {}",
      "const a = 1; export { a };",
      "const a = 1, b = 2; export { a as b, b as a };",
      "export default interface A {}",
      "type A = 1; export { type A as default };",
    ]
  ) {
    await rejects(compileModule(text, "a.ts"), (error) => {
      ok(error instanceof ModuleError);
      equal(error.problems.length, 0);
      return /^a\.ts(, without its types)?: it has no "export default"/
        .test(error.message);
    });
  }
});

Deno.test("a comment can tell the runtime nothing: none is left", async () => {
  const code = await compileModule(
    `/*! kept? */ //# sourceMappingURL=https://example.invalid/\n//# sourceURL=x${END}`,
    "a.ts",
  );
  ok(!code.includes("source"), code);
});

Deno.test("an error shows ten problems and says how many more there are", async () => {
  const text = 'import("x");\n'.repeat(25) + END;
  await rejects(compileModule(text, "a.ts"), (error) => {
    const lines = (error as Error).message.split("\n");
    equal(lines.length, 11);
    equal(lines.at(-1), "a.ts: and 15 more");
    return true;
  });
});

Deno.test("the compiler leaves nothing behind in the process", async () => {
  const { process } = globalThis as unknown as {
    process: { browser?: unknown };
  };
  const text = `const a = 1;${END}`;
  equal("browser" in process, false);
  await compileModule(text, "a.ts");
  equal("browser" in process, false);
  process.browser = "mine";
  await compileModule(text, "a.ts");
  equal(process.browser, "mine");
  delete process.browser;
});
