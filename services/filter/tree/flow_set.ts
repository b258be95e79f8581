/** Which flows the tables of a merged tree hold, while they come and go. */

import type { FlowsBranch, TreeNode } from "./node.ts";
import type { FlowPlace } from "./locate.ts";

/** The flows of all tables of a tree. */
export class FlowSet {
  /** For each key of a table, whether the flow is a plain slot: no code comes after it. */
  readonly #tables = new Map<FlowsBranch, Map<string, boolean>>();

  readonly #seen = new Set<TreeNode>();

  /** What `tree` holds now. */
  constructor(tree: TreeNode) {
    this.#collect(tree);
  }

  /** Adds a flow. @returns false when its key is there. */
  add({ branch, key }: FlowPlace): boolean {
    const table = this.#tables.get(branch)!;
    const name = key.join();
    if (table.has(name)) return false;
    table.set(name, true);
    return true;
  }

  /** Takes a flow out. @returns false when it is not there, or more than a plain slot. */
  delete({ branch, key }: FlowPlace): boolean {
    const table = this.#tables.get(branch)!;
    const name = key.join();
    return table.get(name) === true && table.delete(name);
  }

  #collect(node: TreeNode): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    for (const branch of node.branches) {
      if (branch.kind === "switch") {
        for (const { then } of branch.cases) this.#collect(then);
      } else if (branch.kind === "flows") this.#collectFlows(branch);
      else this.#collect(branch.then);
    }
    const { children } = node.accept ?? {};
    if (children !== undefined) this.#collect(children);
  }

  #collectFlows(branch: FlowsBranch): void {
    const table = new Map<string, boolean>();
    for (const { key, accept } of branch.entries) {
      const { children, residual } = accept;
      table.set(key.join(), children === undefined && residual === undefined);
      if (children !== undefined) this.#collect(children);
    }
    this.#tables.set(branch, table);
  }
}
