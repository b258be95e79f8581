/**
 * Slots, and those of revoked capabilities that still have pages out: until
 * those are back, slot and quota stay taken.
 */

import type { Node, PortId } from "./capability.ts";

/** Gives slots, and takes them back once they have drained. */
export class Slots<G> {
  readonly #draining = new Map<number, Node<G>>();
  readonly #free: number[] = [];
  /** How many each port has made, draining ones included; absent for none. */
  readonly #made = new Map<PortId, number>();
  #next = 1;

  /** Slots of revoked capabilities that have pages out. */
  get drainingCount(): number {
    return this.#draining.size;
  }

  /** How many slots are taken for capabilities that `port` has made. */
  madeBy(port: PortId): number {
    return this.#made.get(port) ?? 0;
  }

  /** A slot that nobody has, for a capability that `maker` makes. */
  take(maker: PortId): number {
    this.#made.set(maker, this.madeBy(maker) + 1);
    return this.#free.pop() ?? this.#next++;
  }

  /** Keeps the slot of a revoked capability until it is {@link drained}. */
  free(node: Node<G>): void {
    this.#draining.set(node.slot, node);
  }

  /**
   * The last page has come back: the slot may be used again, the quota is the
   * nearest ancestor's that is live or draining itself.
   * @returns that one, if it is live.
   */
  drained(slot: number): Node<G> | undefined {
    const node = this.#draining.get(slot);
    if (node === undefined) return undefined;
    this.#draining.delete(slot);
    this.#free.push(slot);
    const made = this.madeBy(node.maker) - 1;
    if (made > 0) this.#made.set(node.maker, made);
    else this.#made.delete(node.maker);
    let to = node.parent;
    while (to !== undefined && !to.live && !this.#draining.has(to.slot)) {
      to = to.parent;
    }
    // What it had carved out for children comes back when those have drained.
    if (to !== undefined) to.pagesLeft += node.pagesLeft;
    return to?.live ? to : undefined;
  }
}

/** The slot that means "not interested". */
export const SLOT_NONE = 0;
