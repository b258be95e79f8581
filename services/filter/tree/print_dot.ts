/** The merged tree as a graph in Graphviz's language, for `dot -Tsvg`. */

import type { Accept, Branch, TreeNode } from "./node.ts";
import { printProgram } from "../language/print.ts";
import { fieldText, headerText, rangeText, valueText } from "./print_atoms.ts";

/**
 * A decision tree: boxes are questions, rounded ones answers. A dashed way is
 * taken where nothing on the ways above it accepts.
 */
export function printDot(tree: TreeNode): string {
  const printer = new DotPrinter();
  printer.node(tree);
  return [
    "digraph filter {",
    '  node [shape=box, fontname="monospace"];',
    '  edge [fontname="monospace"];',
    ...printer.lines.map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
}

class DotPrinter {
  readonly lines: string[] = [];
  readonly #accepts = new Map<Accept, string>();
  #count = 0;

  /** Writes a node; returns what it is called. */
  node(node: TreeNode): string {
    const accept = node.accept === undefined ? [] : [this.#accept(node.accept)];
    const names = [
      ...node.branches.map((branch) => this.#branch(branch)),
      ...accept,
    ];
    if (names.length === 0) return this.#box("reject", "shape=oval");
    names.slice(1).forEach((name, i) =>
      this.#edge(names[i]!, name, "", "style=dashed")
    );
    return names[0]!;
  }

  #branch(branch: Branch): string {
    switch (branch.kind) {
      case "switch": {
        const name = this.#box(fieldText(branch));
        for (const { value, then } of branch.cases) {
          this.#edge(name, this.node(then), valueText(value, branch));
        }
        return name;
      }
      case "range": {
        const name = this.#box(fieldText(branch));
        this.#edge(name, this.node(branch.then), rangeText(branch));
        return name;
      }
      case "header": {
        const name = this.#box(headerText(branch.atom));
        this.#edge(name, this.node(branch.then), "");
        return name;
      }
      case "flows": {
        const name = this.#box(branch.fields.map(fieldText).join("\n"));
        for (const { key, accept } of branch.entries) {
          const values = key.map((value, i) =>
            valueText(value, branch.fields[i]!)
          );
          this.#edge(name, this.#accept(accept), values.join("\n"));
        }
        return name;
      }
    }
  }

  /** One node for each grant, wherever the tree ends in it. */
  #accept(accept: Accept): string {
    const known = this.#accepts.get(accept);
    if (known !== undefined) return known;
    const { slot, children, residual } = accept;
    const answer = slot === 0 ? "reject" : `accept slot ${slot}`;
    const name = residual === undefined
      ? this.#box(answer, "shape=oval")
      : this.#box(
        `${printProgram(residual.program)}${answer}`,
        "style=rounded",
      );
    this.#accepts.set(accept, name);
    if (children === undefined) return name;
    const first = this.node(children);
    this.#edge(name, first, "derived", "style=dotted");
    return name;
  }

  #box(label: string, ...attributes: readonly string[]): string {
    const name = `n${this.#count++}`;
    const all = [`label=${quoted(label)}`, ...attributes].join(", ");
    this.lines.push(`${name} [${all}];`);
    return name;
  }

  #edge(
    from: string,
    to: string,
    label: string,
    ...attributes: readonly string[]
  ): void {
    const labels = label === "" ? [] : [`label=${quoted(label)}`];
    const all = [...labels, ...attributes].join(", ");
    this.lines.push(`${from} -> ${to}${all === "" ? "" : ` [${all}]`};`);
  }
}

/** A string of the language; `\l` ends a line and sets it to the left. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&");
  const lines = escaped.replace(/\n$/, "").split("\n");
  return `"${lines.length === 1 ? lines[0] : `${lines.join("\\l")}\\l`}"`;
}
