/** A service's module as JavaScript, checked before and after. */

import type ts from "typescript";
import { placeOf, problemsIn, type TypeScript } from "./check.ts";
import { parseBounded, tokensRefusal } from "./limits.ts";
import { ModuleError } from "./module_error.ts";

/**
 * Checks the module in `text` and takes its types away. JavaScript passes
 * through the same, so that what is evaluated was printed from the very tree
 * that was checked, without a comment.
 *
 * @throws {ModuleError} with each place that is not accepted.
 */
export async function compileModule(
  text: string,
  path: string,
): Promise<string> {
  const ts = await loadTypeScript();
  const refusal = tokensRefusal(ts, text);
  if (refusal !== undefined) throw new ModuleError(path, [], refusal);
  accept(ts, text, path);
  const { outputText } = ts.transpileModule(text, {
    fileName: "service.ts",
    compilerOptions: {
      // What the engine has itself; decorators and accessors it has not yet.
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.ESNext,
      removeComments: true,
    },
  });
  // Only what was erased may have been let pass as a type.
  accept(ts, outputText, `${path}, without its types`);
  return outputText;
}

/** @throws {ModuleError} for what is no syntax, and what is not accepted. */
function accept(ts: TypeScript, text: string, path: string): void {
  const tree = parseBounded(ts, text);
  if (typeof tree === "string") throw new ModuleError(path, [], tree);
  const problems = syntaxErrors(ts, text, tree);
  problems.push(...problemsIn(ts, tree));
  if (problems.length > 0) throw new ModuleError(path, problems);
  if (!exportsDefault(ts, tree)) {
    throw new ModuleError(
      path,
      [],
      'it has no "export default": a service\'s module exports a function that takes the kit and returns the service',
    );
  }
}

function syntaxErrors(
  ts: TypeScript,
  text: string,
  tree: ts.SourceFile,
): { line: number; column: number; message: string }[] {
  const { diagnostics = [] } = ts.transpileModule(text, {
    fileName: "service.ts",
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext },
  });
  return diagnostics.map(({ start = 0, messageText }) => ({
    ...placeOf(tree, start),
    message: ts.flattenDiagnosticMessageText(messageText, " "),
  }));
}

function exportsDefault(ts: TypeScript, tree: ts.SourceFile): boolean {
  return tree.statements.some((statement) =>
    (ts.isExportAssignment(statement) && !statement.isExportEquals) ||
    (ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) =>
          kind === ts.SyntaxKind.DefaultKeyword
        ) === true) ||
    (ts.isExportDeclaration(statement) &&
      statement.exportClause !== undefined &&
      ts.isNamedExports(statement.exportClause) &&
      statement.exportClause.elements.some(({ name }) =>
        name.text === "default"
      ))
  );
}

/** The compiler takes a while to load: only who loads a module waits for it. */
async function loadTypeScript(): Promise<TypeScript> {
  // Where it takes the runtime for Node it looks up variables of the environment.
  const node = (globalThis as { process?: { browser?: boolean } }).process;
  const before = node?.browser;
  if (node !== undefined) node.browser = true;
  try {
    return (await import("typescript")).default;
  } finally {
    if (node !== undefined) {
      if (before === undefined) delete node.browser;
      else node.browser = before;
    }
  }
}
