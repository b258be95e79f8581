/** The project's own source files, as a compiler reads them. */

import ts from "typescript";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = [
  "caps",
  "drivers",
  "services",
  "cli",
  "tests",
  "bench",
  "examples",
];

/** One file. */
export interface Source {
  /** From the project's root: `caps/port/port.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  /** The project's files that it names (imports, re-exports, workers), by path. */
  readonly names: readonly string[];
}

/** Every TypeScript file of the project. */
export function readSources(): Source[] {
  const paths = ["mod.ts", ...FOLDERS.flatMap((folder) => [...walk(folder)])];
  return paths.sort().map(readSource);
}

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

function readSource(path: string): Source {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, tree, names: namesIn(path, tree) };
}

/** Each string that is a module's relative path: whatever it is used for, it is a way there. */
function namesIn(path: string, tree: ts.SourceFile): string[] {
  const names = new Set<string>();
  visit(tree, (node) => {
    if (!ts.isStringLiteralLike(node) && !ts.isTemplateHead(node)) return;
    const [file = ""] = node.text.split("?");
    if (/^\.{1,2}\/.*\.ts$/.test(file)) names.add(resolve(path, file));
  });
  return [...names];
}

/** The path that `to` means in the file `from`. */
export function resolve(from: string, to: string): string {
  return new URL(to, `file:///${from}`).pathname.slice(1);
}

/** Calls `look` with every node of a tree. */
export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** `caps/port/port.ts:12`. */
export function placeOf({ path, tree }: Source, node: ts.Node): string {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
  return `${path}:${line + 1}`;
}

/** The places of the nodes that `is` is true of. */
export function nodesOf(
  source: Source,
  is: (node: ts.Node) => boolean,
): string[] {
  const places: string[] = [];
  visit(source.tree, (node) => {
    if (is(node)) places.push(placeOf(source, node));
  });
  return places;
}

/** The files on the ways from these, themselves included. */
export function reachedFrom(
  sources: readonly Source[],
  paths: readonly string[],
): Source[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<Source>();
  const reach = (path: string) => {
    const source = byPath.get(path);
    if (source === undefined || reached.has(source)) return;
    reached.add(source);
    source.names.forEach(reach);
  };
  paths.forEach(reach);
  return [...reached];
}
