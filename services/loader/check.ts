/**
 * What a service's module may not contain: whatever reaches for code that is
 * not in it. It is found in the syntax tree, not in the text, so that neither a
 * comment, a string, a template nor an escape hides it.
 *
 * `import()` is syntax that a worker cannot take away from itself, so this is
 * where it ends. The rest is told here too because the place can be named; what
 * is spelt some other way finds nothing to call (services/runtime/confine.ts).
 */

import type ts from "typescript";
import type { ModuleProblem } from "./module_error.ts";

/** The compiler, given by who loaded it. */
export type TypeScript = typeof ts;

const BUNDLE =
  "bundle it into one file first (deno bundle -o service.js service.ts)";

const CODE_FROM_TEXT = "a service runs no code made of text: write a function";

/** What is not accepted in `tree`, in its order. */
export function problemsIn(
  ts: TypeScript,
  tree: ts.SourceFile,
): ModuleProblem[] {
  const problems: ModuleProblem[] = [];
  const visit = (node: ts.Node) => {
    const message = refusalOf(ts, node);
    if (message !== undefined) {
      problems.push({ ...placeOf(tree, node.getStart(tree)), message });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return problems;
}

/** Line and column, from 1. */
export function placeOf(
  tree: ts.SourceFile,
  at: number,
): { readonly line: number; readonly column: number } {
  const { line, character } = tree.getLineAndCharacterOfPosition(at);
  return { line: line + 1, column: character + 1 };
}

/** Why one node is not accepted; undefined when it is. */
function refusalOf(ts: TypeScript, node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node)) {
    return isErased(ts, node)
      ? undefined
      : `"import" of another module; ${BUNDLE}, or write "import type" where only types are meant`;
  }
  if (ts.isImportEqualsDeclaration(node)) {
    return node.isTypeOnly ? undefined : `"import … ="; ${BUNDLE}`;
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return node.isTypeOnly
      ? undefined
      : `"export … from" another module; ${BUNDLE}`;
  }
  if (node.kind === ts.SyntaxKind.ImportKeyword) {
    return `"import(…)"; a service loads nothing while it runs: ${BUNDLE}`;
  }
  if (
    ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
  ) {
    return `"import.${node.name.text}"; a service has no place of its own`;
  }
  return ts.isIdentifier(node) ? nameRefusal(ts, node) : undefined;
}

/** Whether nothing of it is left when types are erased. */
function isErased(ts: TypeScript, node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  return clause.name === undefined && names !== undefined &&
    ts.isNamedImports(names) && names.elements.length > 0 &&
    names.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function nameRefusal(ts: TypeScript, node: ts.Identifier): string | undefined {
  const { parent } = node;
  const called = (ts.isCallExpression(parent) || ts.isNewExpression(parent)) &&
    parent.expression === node;
  // The text of a name is what its escapes stand for.
  switch (node.text) {
    case "eval":
      return `"eval"; ${CODE_FROM_TEXT}`;
    case "Function":
      return called ? `"Function(…)"; ${CODE_FROM_TEXT}` : undefined;
    case "require":
      return called ? `"require(…)" of another module; ${BUNDLE}` : undefined;
    default:
      return undefined;
  }
}
