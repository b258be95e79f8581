/** Reading paths: tables of a README that lead a newcomer through the code. */

import ts from "typescript";
import type { Readme } from "./markdown.ts";
import { type Source, visit } from "./source.ts";

/** One row: what to read next. */
export interface Stop {
  /** The file, from the project's root. */
  readonly path: string;
  /** A function or class of that file, or `Class.method`. */
  readonly name: string;
}

/**
 * The rows ``| [path](link) | `name` | what to see there |`` of a README's part
 * "A reading path"; empty where it has none.
 *
 * @throws {Error} for a row that is not of that form.
 */
export function stopsOf({ path, text }: Readme): Stop[] {
  const [, part = ""] = text.split(/^## A reading path$/m);
  const rows = part.split(/^## /m)[0]!.split("\n").filter((line) =>
    line.startsWith("| [")
  );
  return rows.map((row) => {
    const found = /^\| \[[^\]]+\]\(([^)\s]+\.ts)\) +\| `([\w.#]+)` +\|[^|]+\|$/
      .exec(row);
    if (found === null) throw new Error(`${path}: no stop: ${row}`);
    const [, link, name] = found;
    return {
      path: new URL(link!, `file:///${path}`).pathname.slice(1),
      name: name!,
    };
  });
}

/** The lines of a stop's function, class or method; undefined where it is not in the file. */
export function linesOf(
  { name }: Stop,
  { tree }: Source,
): number | undefined {
  const found: ts.Node[] = [];
  visit(tree, (node) => {
    if (isNamed(node) && nameOf(node, tree) === name) found.push(node);
  });
  const [node] = found;
  if (node === undefined || found.length > 1) return undefined;
  const line = (at: number) => tree.getLineAndCharacterOfPosition(at).line;
  return line(node.getEnd()) - line(node.getStart(tree)) + 1;
}

type Named =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.InterfaceDeclaration;

function isNamed(node: ts.Node): node is Named {
  // What is overloaded, or abstract, has nothing to read.
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) {
    return node.body !== undefined;
  }
  return ts.isClassDeclaration(node) || ts.isConstructorDeclaration(node) ||
    ts.isInterfaceDeclaration(node);
}

/** `name`, or `Class.name`. */
function nameOf(node: Named, tree: ts.SourceFile): string {
  const own = ts.isConstructorDeclaration(node)
    ? "constructor"
    : node.name?.getText(tree) ?? "";
  const { parent } = node;
  return ts.isClassDeclaration(parent) ? `${parent.name?.text}.${own}` : own;
}
