/** Exported names, and who uses them. */

import ts from "typescript";
import { placeOf, resolve, type Source, visit } from "./source.ts";

/** A name that a file exports. */
interface Export {
  readonly name: string;
  readonly node: ts.Statement;
}

/** Names that are imported from a file; "all" where it is imported as a whole. */
type Used = Map<string, Set<string> | "all">;

/**
 * Exports that no other file imports, and that no signature needs which is
 * itself needed: `caps/port/port.ts:12 name`. All that `entries` export is needed.
 */
export function needlessExports(
  sources: readonly Source[],
  entries: readonly string[],
): string[] {
  const used = usesOf(sources);
  return sources.filter(({ path }) => !entries.includes(path))
    .flatMap((source) => {
      const wanted = used.get(source.path) ?? new Set();
      if (wanted === "all") return [];
      const exported = exportsOf(source);
      const needed = closureOf(exported, wanted);
      return exported.filter(({ name }) => !needed.has(name))
        .map(({ name, node }) => `${placeOf(source, node)} ${name}`);
    });
}

/** The names `wanted`, and all that the signatures of those mention. */
function closureOf(
  exported: readonly Export[],
  wanted: ReadonlySet<string>,
): Set<string> {
  const needed = new Set<string>();
  const need = (name: string) => {
    if (needed.has(name)) return;
    needed.add(name);
    for (const one of exported) {
      if (one.name !== name) continue;
      mentionedBy(one.node).forEach((other) => need(other));
    }
  };
  wanted.forEach(need);
  return needed;
}

/** Identifiers in the signature of a declaration: all but what functions do inside. */
function mentionedBy(node: ts.Node): Set<string> {
  const names = new Set<string>();
  const look = (at: ts.Node) => {
    if (ts.isIdentifier(at)) names.add(at.text);
    if (ts.isBlock(at)) return;
    if (ts.isClassElement(at) && at.name && ts.isPrivateIdentifier(at.name)) {
      return;
    }
    if (isInitialised(at) && at.type !== undefined) return look(at.type);
    ts.forEachChild(at, look);
  };
  look(node);
  return names;
}

function isInitialised(
  node: ts.Node,
): node is
  | ts.VariableDeclaration
  | ts.ParameterDeclaration
  | ts.PropertyDeclaration {
  return ts.isVariableDeclaration(node) || ts.isParameter(node) ||
    ts.isPropertyDeclaration(node);
}

function exportsOf({ tree }: Source): Export[] {
  return tree.statements.flatMap((node): Export[] => {
    const isExported = ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some(({ kind }) =>
        kind === ts.SyntaxKind.ExportKeyword
      );
    const isDefault = ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some(({ kind }) =>
        kind === ts.SyntaxKind.DefaultKeyword
      );
    if (!isExported || isDefault) return [];
    if (ts.isVariableStatement(node)) {
      return node.declarationList.declarations.flatMap(({ name }) =>
        boundBy(name).map((name) => ({ name, node }))
      );
    }
    const { name } = node as ts.DeclarationStatement;
    return name === undefined ? [] : [{ name: name.text, node }];
  });
}

/** The names that `[a, { b }]`, or a plain name, binds. */
function boundBy(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) =>
    ts.isBindingElement(element) ? boundBy(element.name) : []
  );
}

function usesOf(sources: readonly Source[]): Used {
  const used: Used = new Map();
  const use = (path: string, names: readonly string[] | "all") => {
    const before = used.get(path) ?? new Set();
    used.set(
      path,
      names === "all" || before === "all"
        ? "all"
        : new Set([...before, ...names]),
    );
  };
  for (const { path, tree } of sources) {
    visit(tree, (node) => {
      const from = moduleOf(node);
      if (from !== undefined) use(resolve(path, from), namesFrom(node));
    });
  }
  return used;
}

/** The project's module that `node` imports, re-exports, or takes a type of. */
function moduleOf(node: ts.Node): string | undefined {
  const specifier = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
    ? node.moduleSpecifier
    : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
    ? node.argument.literal
    : ts.isCallExpression(node) &&
        node.expression.kind === ts.SyntaxKind.ImportKeyword
    ? node.arguments[0]
    : undefined;
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
  return specifier.text.startsWith(".") ? specifier.text : undefined;
}

function namesFrom(node: ts.Node): readonly string[] | "all" {
  if (ts.isImportDeclaration(node)) {
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined) return [];
    return ts.isNamespaceImport(bindings) ? "all" : namesIn(bindings.elements);
  }
  if (ts.isExportDeclaration(node)) {
    const { exportClause } = node;
    return exportClause !== undefined && ts.isNamedExports(exportClause)
      ? namesIn(exportClause.elements)
      : "all";
  }
  return "all";
}

function namesIn(
  elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[],
): string[] {
  return elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}
