/** The ports' tables: which tag means what, and on which port alone. */

import type { Capability, Node, PortId } from "./capability.ts";
import { tagOf } from "./tag.ts";

/** Every port's table of live capabilities. */
export class PortTables<G> {
  /** Every port's entries in one map: a tag is in one port's table only. */
  readonly #entries = new Map<Capability, Node<G>>();

  /** Live capabilities, in all tables. */
  get size(): number {
    return this.#entries.size;
  }

  /** What `tag`, whatever that is, means on `port`. */
  find(port: PortId, tag: unknown): Node<G> | undefined {
    if (tagOf(tag) === undefined) return undefined;
    const node = this.#entries.get(tag as Capability);
    return node?.port === port ? node : undefined;
  }

  /** Enters a capability in its port's table. */
  enter(node: Node<G>): Capability {
    const { capability } = node;
    if (this.#entries.has(capability)) {
      throw new Error("capability kernel: a tag was issued twice");
    }
    this.#entries.set(capability, node);
    return capability;
  }

  /** Takes a capability out of its port's table: its tag is void. */
  remove(node: Node<G>): void {
    this.#entries.delete(node.capability);
  }

  /** Every capability in the table of `port`. */
  heldBy(port: PortId): Node<G>[] {
    return [...this.#entries.values()].filter((node) => node.port === port);
  }
}
