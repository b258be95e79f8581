/** The merged tree for people, indented. */

import type { Accept, Branch, TreeNode } from "./node.ts";
import { printProgram } from "../language/print.ts";
import { fieldText, headerText, rangeText, valueText } from "./print_atoms.ts";

/**
 * A decision tree. What stands deeper is tried after what it stands under has
 * matched; ways next to one another are tried from the top, and the first that
 * comes to `accept` decides:
 *
 * ```
 * switch frame[12:2]
 *   0x0800
 *     ipv4 header at base + 14: whole, protocol 17
 *       switch base[2:2]
 *         0x0035
 *           accept slot 1
 * ```
 */
export function printDecisionTree(tree: TreeNode): string {
  const lines = new TreePrinter().node(tree);
  return (lines.length === 0 ? ["reject"] : lines).join("\n") + "\n";
}

class TreePrinter {
  /** What is written already; it is not written again. */
  readonly #seen = new Map<Accept, number>();

  node(node: TreeNode): string[] {
    const lines = node.branches.flatMap((branch) => this.#branch(branch));
    if (node.accept !== undefined) lines.push(...this.#accept(node.accept));
    return lines;
  }

  #branch(branch: Branch): string[] {
    switch (branch.kind) {
      case "switch":
        return [
          `switch ${fieldText(branch)}`,
          ...branch.cases.flatMap(({ value, then }) => [
            `  ${valueText(value, branch)}`,
            ...indented(indented(this.node(then))),
          ]),
        ];
      case "range":
        return [
          `${fieldText(branch)} in ${rangeText(branch)}`,
          ...indented(this.node(branch.then)),
        ];
      case "header":
        return [headerText(branch.atom), ...indented(this.node(branch.then))];
      case "flows":
        return [
          `flows by ${branch.fields.map(fieldText).join(", ")}`,
          ...branch.entries.flatMap(({ key, accept }) => [
            `  ${
              key.map((value, i) => valueText(value, branch.fields[i]!))
                .join(", ")
            }`,
            ...indented(indented(this.#accept(accept))),
          ]),
        ];
    }
  }

  #accept(accept: Accept): string[] {
    const { slot, children, residual } = accept;
    const line = slot === 0 ? "reject" : `accept slot ${slot}`;
    if (children === undefined && residual === undefined) return [line];
    const number = this.#seen.get(accept);
    if (number !== undefined) return [`grant ${number}, as above`];
    this.#seen.set(accept, this.#seen.size + 1);
    const title = `grant ${this.#seen.size}, from the frame's first byte again`;
    if (children !== undefined) {
      return [title, ...indented([...this.node(children), line])];
    }
    const { program, otherwise } = residual!;
    const text = printProgram(program).trimEnd().split("\n").slice(1);
    const other = otherwise === 0 ? "reject" : `accept slot ${otherwise}`;
    return [
      title,
      ...indented(["text", ...indented(text), line, `else ${other}`]),
    ];
  }
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
