/** Grants with filter text on some leaves. */

import fc from "fast-check";
import { FilterError } from "../../services/filter/language/error.ts";
import { compileText } from "../../services/filter/language/compile.ts";
import type { Program } from "../../services/filter/language/ir.ts";
import type { GrantNode } from "../../services/filter/tree/merge.ts";
import { expressionArbitrary } from "./expressions.ts";
import { derivationArbitrary } from "./grants.ts";

/** A filter text for Ethernet and what it becomes. */
export interface TextCase {
  readonly text: string;
  readonly program: Program;
}

/** What a text becomes for Ethernet; undefined where it is refused. */
export function compiled(text: string): TextCase | undefined {
  try {
    return { text, program: compileText(text, { linkType: "ethernet" }) };
  } catch (error) {
    if (error instanceof FilterError) return undefined;
    throw error;
  }
}

/** Filter texts that compile for Ethernet. */
export const textArbitrary: fc.Arbitrary<TextCase> = expressionArbitrary
  .map(compiled).filter((one) => one !== undefined);

/** Derivation trees, about half of whose leaves have filter text. */
export const residualsArbitrary: fc.Arbitrary<GrantNode[]> = fc.tuple(
  derivationArbitrary,
  fc.array(textArbitrary, { minLength: 1, maxLength: 6 }),
  fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
).map(([roots, texts, chosen]) => {
  let leaves = 0;
  const visit = (node: GrantNode): GrantNode => {
    if (node.children.length > 0) {
      return { ...node, children: node.children.map(visit) };
    }
    const index = leaves++;
    if (!chosen[index % chosen.length]) return node;
    return { ...node, residual: texts[index % texts.length]!.program };
  };
  return roots.map(visit);
});
