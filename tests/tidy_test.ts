/** The architecture, held by a machine. */

import { deepEqual } from "node:assert/strict";
import ts from "typescript";
import { circles, mutualFolders } from "./tidy/graph.ts";
import {
  nodesOf,
  placeOf,
  reachedFrom,
  readSources,
  type Source,
  visit,
} from "./tidy/source.ts";

const LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const sources = readSources();
const production = sources.filter(({ path }) =>
  !/^(tests|bench|examples)\//.test(path)
);

/**
 * Which files a file may name, by what its path begins with; the first row that
 * fits decides. Only the system knows concrete drivers, and only tests know tests.
 */
const MAY_NAME: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^caps\//, /^caps\//],
  [/^drivers\//, /^(caps|drivers)\//],
  [/^services\/system\//, /^(caps|drivers|services)\//],
  [/^services\//, /^(caps|services)\//],
  [/^cli\//, /^(cli|caps|drivers\/capture|services)\/|^mod\.ts$/],
  [/^mod\.ts$/, /^(caps|drivers|services)\//],
  [/^examples\//, /^(mod|tests\/testing|examples\/\w+)\.ts$/],
  [/^bench\//, /^(bench|caps|drivers|services)\/|^mod\.ts$/],
  [/^tests\//, /./],
];

Deno.test("imports run one way: caps, drivers and services, then what uses them", () => {
  const wrong = sources.flatMap(({ path, names }) => {
    const row = MAY_NAME.find(([from]) => from.test(path))!;
    return names.filter((name) => !row[1].test(name))
      .map((name) => `${path} names ${name}`);
  });
  deepEqual(wrong, []);
});

/** Where every file stands in a folder of its kind, with what may stand beside those folders. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "caps": [],
  // The program, as mod.ts is the library.
  "cli": ["cli/main.ts"],
  // What a NIC must do.
  "drivers": ["drivers/driver.ts"],
  "services": [],
  "services/filter": [],
};

Deno.test("nothing lies loose beside the folders of a kind", () => {
  const loose = production.map(({ path }) => path).filter((path) => {
    const allowed = ROOMS[path.slice(0, path.lastIndexOf("/"))];
    return allowed !== undefined && !allowed.includes(path);
  });
  deepEqual(loose, []);
});

Deno.test("no two folders import each other", () => {
  deepEqual(mutualFolders(production), []);
});

Deno.test("no files import each other in a circle", () => {
  deepEqual(circles(production), []);
});

Deno.test("no file imports one module twice", () => {
  const wrong = sources.flatMap((source) => {
    const seen = new Set<string>();
    return source.tree.statements.filter(ts.isImportDeclaration).filter(
      ({ moduleSpecifier, importClause }) => {
        const name = moduleSpecifier.getText(source.tree);
        const bindings = importClause?.namedBindings;
        if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
          return false;
        }
        return seen.size === seen.add(name).size;
      },
    ).map((node) => placeOf(source, node));
  });
  deepEqual(wrong, []);
});

/** Where the outside world is reached. */
const MAY_NAME_DENO = [
  "cli/",
  "drivers/capture/file.ts",
  "drivers/capture/same_file.ts",
  "drivers/sys/",
  "drivers/tunnel/key_file.ts",
  "drivers/tunnel/socket.ts",
  "services/runtime/require_confinement.ts",
  "services/loader/load.ts",
  "services/runtime/memory_usage.ts",
  "services/runtime/process/permitted_deno.ts",
  "services/runtime/process/permitted_walls.ts",
  "services/runtime/process/standard_streams.ts",
  "services/runtime/process/start_process.ts",
  "services/system/process/command.ts",
];

Deno.test("Deno is named only at the edges", () => {
  const wrong = production.flatMap((source) =>
    nodesOf(source, (node) =>
      ts.isIdentifier(node) && node.text === "Deno" &&
      !MAY_NAME_DENO.some((place) => source.path.startsWith(place)))
  );
  deepEqual(wrong, []);
});

Deno.test("what is published for testing names neither Deno nor the tests themselves", () => {
  const published = reachedFrom(sources, ["tests/testing.ts"])
    .filter(({ path }) => path.startsWith("tests/"));
  const wrong = published.flatMap((source) => [
    ...(/^tests\/(testing\.ts$|(arbitraries|conformance|model|simulation)\/)/
        .test(source.path)
      ? []
      : [source.path]),
    ...nodesOf(
      source,
      (node) =>
        ts.isIdentifier(node) && ["Deno", "console"].includes(node.text),
    ),
  ]);
  deepEqual(wrong, []);
});

Deno.test("every place that may name Deno does", () => {
  const idle = MAY_NAME_DENO.filter((place) =>
    !production.some(({ path, text }) =>
      path.startsWith(place) && text.includes("Deno.")
    )
  );
  deepEqual(idle, []);
});

Deno.test(`no file is longer than ${LINES_MAX} lines`, () => {
  const wrong = sources.map(({ path, text }) =>
    [path, text.split("\n").length - 1] as const
  ).filter(([, lines]) => lines > LINES_MAX);
  deepEqual(wrong, []);
});

Deno.test(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  const wrong = sources.flatMap((source) =>
    nodesOf(source, (node) =>
      ts.isFunctionLike(node) &&
      linesOf(source, node) > FUNCTION_LINES_MAX)
  );
  deepEqual(wrong, []);
});

Deno.test("nothing is of type any", () => {
  const wrong = sources.flatMap((source) =>
    nodesOf(source, (node) => node.kind === ts.SyntaxKind.AnyKeyword)
  );
  deepEqual(wrong, []);
});

Deno.test("only programs print", () => {
  const wrong = production.flatMap((source) =>
    nodesOf(source, (node) =>
      ts.isPropertyAccessExpression(node) &&
      node.expression.getText() === "console")
  );
  deepEqual(wrong, []);
});

/** What is run by its name, and so need not be imported. */
const PROGRAM =
  /^(mod|tests\/(testing|std\.d)|(cli|bench|tests\/mutate)\/main|examples\/\w+|tests\/.*_test|bench\/receivers\/\w+|(drivers|services)\/([\w-]+\/)+worker)\.ts$/;

Deno.test("every file is a program, a worker, a test, or named on a way from one", () => {
  const paths = sources.map(({ path }) => path);
  const reached = reachedFrom(
    sources,
    paths.filter((path) => PROGRAM.test(path)),
  );
  const alive = new Set(reached.map(({ path }) => path));
  deepEqual(paths.filter((path) => !alive.has(path)), []);
});

Deno.test("no confined worker runs code that says import(…), but to load the one module that was checked", () => {
  const workers = sources.map(({ path }) => path).filter((path) =>
    /^services\/([\w-]+\/)+worker\.ts$/.test(path)
  );
  const unconfined = workers.filter((path) =>
    !/^import "(\.\.\/)+runtime\/confine\.ts"/.test(textOf(path))
  );
  // Starts the other workers, and runs nothing of theirs.
  deepEqual(unconfined, [
    // The driver's own.
    "services/system/driver/worker.ts",
    "services/system/nursery/worker.ts",
  ]);
  const places = reachedFrom(
    sources,
    workers.filter((path) => !unconfined.includes(path)),
  ).flatMap((source) => {
    const found: string[] = [];
    visit(source.tree, (node) => {
      if (node.kind !== ts.SyntaxKind.ImportKeyword) return;
      // That of a declaration is no node of its own.
      if (!ts.isImportTypeNode(node.parent)) found.push(source.path);
    });
    return found;
  });
  deepEqual(places, ["services/loader/serve.ts"]);
});

function textOf(path: string): string {
  return sources.find((source) => source.path === path)!.text;
}

/** What must hold, always: each is a test's name. */
const MUST_HOLD = [
  "1. pages are conserved",
  "2. interpreter, Wasm and eBPF agree on every set of grants",
  "2. filter text means what libpcap says",
  "3. no byte of a packet reaches a service without a live capability for it",
  "4. after a revocation returns, nothing more is posted to the subtree",
  "5. no sequence of messages from a service enlarges a right",
  "6. parse(emit(x)) = x; parsing never throws",
  "7. the same seed gives the same trace",
];

Deno.test("each of the seven things that must hold is named in a test", () => {
  const { text } = sources.find(({ path }) =>
    path === "tests/must_hold_test.ts"
  )!;
  deepEqual(MUST_HOLD.filter((name) => !text.includes(`"${name}`)), []);
});

/** What is true of one machine, or of the work on this project, only. */
const FOREIGN =
  /\/(work|home|root|Users)\/|\bregistry\.|npmjs|\bissue #?\d|\bTODO\b|\bFIXME\b|\bXXX\b/;

Deno.test("no file speaks of one machine, or of work that is left", () => {
  const wrong = sources.filter(({ path }) => path !== "tests/tidy_test.ts")
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, i) =>
        FOREIGN.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : []
      )
    );
  deepEqual(wrong, []);
});

function linesOf({ tree }: Source, node: ts.Node): number {
  const line = (at: number) => tree.getLineAndCharacterOfPosition(at).line;
  return line(node.getEnd()) - line(node.getStart()) + 1;
}
