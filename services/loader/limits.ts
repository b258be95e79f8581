/**
 * How much syntax a service's module may be. The compiler's time grows faster
 * than the text where expressions lie in each other, and the check runs on the
 * system's own thread: what takes too long is refused before it is begun.
 */

import type ts from "typescript";
import type { TypeScript } from "./check.ts";

/** The most tokens: a bundled service of 500 kB has about half of them. */
export const TOKENS_MAX = 250_000;

/** How deep syntax may lie in syntax: by hand nobody writes 100. */
export const DEPTH_MAX = 500;

/**
 * Counts tokens in `text`, roughly: without its syntax a regular expression
 * and a template are told as more tokens than they are.
 *
 * @returns what is too much, in words; undefined for what may be parsed.
 */
export function tokensRefusal(
  ts: TypeScript,
  text: string,
): string | undefined {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true);
  scanner.setText(text);
  for (
    let count = 1;
    scanner.scan() !== ts.SyntaxKind.EndOfFileToken;
    count++
  ) {
    if (count > TOKENS_MAX) {
      return `it has more than ${TOKENS_MAX} tokens; put tables in a string, or make it smaller`;
    }
  }
  return undefined;
}

/**
 * Parses `text`.
 *
 * @returns its tree, or in words why not: syntax lies deeper in syntax than
 * {@link DEPTH_MAX}, or than the parser's own stack.
 */
export function parseBounded(
  ts: TypeScript,
  text: string,
): ts.SourceFile | string {
  const tooDeep =
    `syntax lies more than ${DEPTH_MAX} deep in syntax; take long expressions apart`;
  let tree: ts.SourceFile;
  try {
    tree = ts.createSourceFile(
      "service.ts",
      text,
      ts.ScriptTarget.ESNext,
      true,
      ts.ScriptKind.TS,
    );
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
  return isDeep(ts, tree) ? tooDeep : tree;
}

/** Whether some node lies deeper than it may; level by level, not by calls within calls. */
function isDeep(ts: TypeScript, tree: ts.SourceFile): boolean {
  let level: ts.Node[] = [tree];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return true;
    const next: ts.Node[] = [];
    for (const node of level) {
      ts.forEachChild(node, (child) => void next.push(child));
    }
    level = next;
  }
  return false;
}
