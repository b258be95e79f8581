/**
 * The capability kernel: who holds what, derived from what.
 *
 * Every capability is a node of one derivation tree, under a NIC's root. Its
 * tag is an entry in the table of exactly one port, and void on every other:
 * unknown, forged, revoked, expired and somebody else's are indistinguishable.
 * Derivation only narrows: a child's packets are its parent's *and* its own, its
 * rights are among its parent's, its quota is carved out of its parent's, it
 * lives no longer than its parent, and its grant overlaps no sibling's, so that
 * no packet has two owners.
 *
 * Pure: what grants are and when they overlap is given by a {@link GrantAlgebra},
 * and what time it is by whoever asks.
 */

import { given } from "./given.ts";
import {
  type KernelLimits,
  type Refusal,
  type Share,
  whyRefused,
} from "./admission.ts";
import {
  type Capability,
  type CapabilityNode,
  capabilityOf,
  type Delegation,
  type Derivation,
  NEVER_US,
  type Node,
  type PortId,
} from "./capability.ts";
import { SLOT_NONE, Slots } from "./slots.ts";
import { ExpiryQueue } from "./expiry_queue.ts";
import { copyOfRateLimit } from "./rate_limit.ts";
import { PortTables } from "./port_tables.ts";
import {
  isObserver,
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  type Rights,
  RIGHTS_ALL,
} from "./rights.ts";
import { type SiblingIndex, SiblingList } from "./sibling_index.ts";
import type { TagGenerator } from "./tag.ts";

export type { KernelLimits, Refusal, Share } from "./admission.ts";
export type {
  CapabilityNode,
  Delegation,
  Derivation,
  PortId,
} from "./capability.ts";

/** The decisions about grants that the kernel rests on. */
export interface GrantAlgebra<G> {
  /** The grant of all frames. */
  readonly everything: G;
  /** Whether some frame matches both. May say true too often, never too seldom. */
  overlaps(a: G, b: G): boolean;
  /** The frames that match both; undefined when that cannot be written as a grant. */
  intersect(a: G, b: G): G | undefined;
  /** An empty index of siblings; absent for one that compares with each. */
  makeIndex?(): SiblingIndex<G>;
}

/**
 * Up to how many bytes a packet is copied unless a capability says otherwise.
 * Shapiro's note has 128; here a swap costs two transfers of a buffer, each
 * several times what copying an Ethernet frame does (the benchmark is deliver).
 */
export const COPY_BYTES_MAX_DEFAULT = 2048;

/** What {@link CapabilityKernel.derive} answers. */
export type Derived<G> =
  | { readonly capability: Capability; readonly node: CapabilityNode<G> }
  | { readonly refused: Refusal };

/** What {@link CapabilityKernel.revoke} and its like answer: the ended ones, parents before children. */
export type Ended<G> = CapabilityNode<G>[] | { readonly refused: Refusal };

/** Holds one NIC's derivation tree and the ports' tables. */
export class CapabilityKernel<G> {
  readonly #algebra: GrantAlgebra<G>;
  readonly #tags: TagGenerator;
  readonly #limits: KernelLimits;
  readonly #tables = new PortTables<G>();
  readonly #slots = new Slots<G>();
  /** Capabilities that expire before their parents do; the others expire with these. */
  readonly #expiring = new ExpiryQueue<Node<G>>();
  #root: Node<G> | undefined;

  constructor(
    algebra: GrantAlgebra<G>,
    tags: TagGenerator,
    limits: KernelLimits,
  ) {
    this.#algebra = algebra;
    this.#tags = tags;
    this.#limits = limits;
  }

  /** Makes the root capability in the table of `port`. Once only. */
  makeRoot(port: PortId, quotaPages: number): Capability {
    if (this.#root !== undefined) {
      throw new Error("capability kernel: there is a root already");
    }
    const tag = this.#tags.next();
    this.#root = {
      slot: SLOT_NONE,
      tag,
      capability: capabilityOf(tag),
      port,
      maker: port,
      parent: undefined,
      children: new Set(),
      depth: 0,
      taken: undefined,
      grant: this.#algebra.everything,
      sends: this.#algebra.everything,
      rights: RIGHTS_ALL,
      quotaPages,
      pagesLeft: quotaPages,
      copyBytesMax: COPY_BYTES_MAX_DEFAULT,
      closed: false,
      live: true,
      expiresAtUs: NEVER_US,
      queueIndex: -1,
    };
    return this.#tables.enter(this.#root);
  }

  /** The root; undefined before {@link makeRoot}. */
  get root(): CapabilityNode<G> | undefined {
    return this.#root;
  }

  /** Live capabilities, the root included. */
  get size(): number {
    return this.#tables.size;
  }

  /** How many capabilities `port` has made, and how many there may still be. */
  share(port: PortId): Share {
    const { capabilitiesMax, capabilitiesKept } = this.#limits;
    const existing = this.#tables.size + this.#slots.drainingCount;
    const isRoot = port === this.#root?.port;
    const kept = isRoot ? 0 : capabilitiesKept;
    const free = Math.max(0, capabilitiesMax - kept - existing);
    return { made: this.#slots.madeBy(port), free, isRoot };
  }

  /** When {@link expire} is to be called next; Infinity for never. */
  get nextExpiryUs(): number {
    return this.#expiring.nextUs;
  }

  /** What `tag` means on `port`: undefined for unknown, forged, revoked and other ports' alike. */
  present(port: PortId, tag: unknown): CapabilityNode<G> | undefined {
    return this.#tables.find(port, tag);
  }

  /** Derives a narrower capability. */
  derive(port: PortId, tag: unknown, wanted: Derivation<G>): Derived<G> {
    const parent = this.#tables.find(port, tag);
    if (parent === undefined) return { refused: "void" };
    const needed = wanted.to === undefined || wanted.to === port
      ? RIGHT_DERIVE
      : RIGHT_DERIVE | RIGHT_DELEGATE;
    const asked = { ...wanted, to: wanted.to ?? port };
    return this.#mint(port, parent, asked, needed);
  }

  /**
   * Gives another port the same packets, under a tag of that port's own: all
   * that the capability stands for, until it is taken back by revoking what was
   * derived from it. Nothing else that owns packets may be derived from it then.
   */
  delegate(port: PortId, tag: unknown, wanted: Delegation): Derived<G> {
    const parent = this.#tables.find(port, tag);
    if (parent === undefined) return { refused: "void" };
    const { grant, rights, pagesLeft: quotaPages } = parent;
    const same = { grant, rights, quotaPages };
    return this.#mint(port, parent, { ...same, ...wanted }, RIGHT_DELEGATE);
  }

  /** Takes no new work: nothing more is derived from it; what was, lives on. */
  close(port: PortId, tag: unknown): Refusal | undefined {
    const node = this.#tables.find(port, tag);
    if (node === undefined) return "void";
    node.closed = true;
    return undefined;
  }

  /**
   * Ends everything that was derived from a capability, in every port's table.
   * The capability itself lives on, and its packets flow to it again.
   */
  revoke(port: PortId, tag: unknown): Ended<G> {
    const node = this.#tables.find(port, tag);
    if (node === undefined) return { refused: "void" };
    const ended = this.#endAll([...node.children]);
    node.children.clear();
    node.taken = undefined;
    return ended;
  }

  /** Gives a capability up, with everything that was derived from it. The root stays. */
  drop(port: PortId, tag: unknown): Ended<G> {
    const node = this.#tables.find(port, tag);
    if (node === undefined) return { refused: "void" };
    if (node.parent === undefined) return { refused: "right" };
    return this.#revoke(node);
  }

  /** Revokes what has expired by `nowUs`, with everything that was derived from it. */
  expire(nowUs: number): CapabilityNode<G>[] {
    const ended: CapabilityNode<G>[] = [];
    while (this.#expiring.nextUs <= nowUs) {
      for (const node of this.#revoke(this.#expiring.first!)) ended.push(node);
    }
    return ended;
  }

  /** Revokes all that is in the table of `port`, whose holder has ended. */
  releasePort(port: PortId): CapabilityNode<G>[] {
    return this.#tables.heldBy(port).flatMap((node) =>
      node.live && node.parent !== undefined ? this.#revoke(node) : []
    );
  }

  /**
   * The last page of a revoked capability has come back: its slot may be used
   * again, its quota is its nearest live ancestor's.
   * @returns that ancestor; undefined when none has more than before.
   */
  drained(slot: number): CapabilityNode<G> | undefined {
    return this.#slots.drained(slot);
  }

  /** Makes a capability for `maker`, unless something is against it. */
  #mint(
    maker: PortId,
    parent: Node<G>,
    wanted: Derivation<G> & { readonly to: PortId },
    needed: Rights,
  ): Derived<G> {
    const share = this.share(maker);
    const { depthMax } = this.#limits;
    const refused = whyRefused({ parent, wanted, needed, share, depthMax });
    if (refused !== undefined) return { refused };
    const sends = this.#sends(parent, wanted);
    const observes = this.#observes(parent, wanted);
    if (sends === undefined || observes === undefined) {
      return { refused: "complex" };
    }
    const observer = isObserver(wanted.rights);
    const { residual, rights, grant, quotaPages, limit } = wanted;
    const tag = this.#tags.next();
    const node: Node<G> = {
      slot: this.#slots.take(maker),
      tag,
      capability: capabilityOf(tag),
      port: wanted.to,
      maker,
      parent,
      children: new Set(),
      depth: parent.depth + 1,
      taken: undefined,
      grant,
      ...given({ residual }),
      sends,
      ...(observer ? { observes } : {}),
      rights,
      quotaPages,
      pagesLeft: quotaPages,
      copyBytesMax: wanted.copyBytesMax ?? parent.copyBytesMax,
      ...(limit === undefined ? {} : { limit: copyOfRateLimit(limit) }),
      closed: false,
      live: true,
      expiresAtUs: Math.min(
        parent.expiresAtUs,
        wanted.expiresAtUs ?? NEVER_US,
      ),
      queueIndex: -1,
    };
    this.#attach(node, parent);
    return { capability: this.#tables.enter(node), node };
  }

  #attach(node: Node<G>, parent: Node<G>): void {
    parent.pagesLeft -= node.quotaPages;
    parent.children.add(node);
    if (!isObserver(node.rights)) {
      parent.taken ??= this.#makeIndex();
      parent.taken.add(node.grant);
    }
    if (node.expiresAtUs < parent.expiresAtUs) this.#expiring.add(node);
  }

  #revoke(node: Node<G>): CapabilityNode<G>[] {
    node.parent?.children.delete(node);
    if (!isObserver(node.rights)) node.parent?.taken?.remove(node.grant);
    return this.#endAll([node]);
  }

  /** Ends those in `ended` and all below them, which are added to it. */
  #endAll(ended: Node<G>[]): CapabilityNode<G>[] {
    // It grows on the way.
    for (const node of ended) {
      node.live = false;
      this.#tables.remove(node);
      this.#slots.free(node);
      this.#expiring.remove(node);
      for (const child of node.children) ended.push(child);
      node.children.clear();
      node.taken = undefined;
    }
    return ended;
  }

  /** The frames that may be sent; undefined when that cannot be written down. */
  #sends(parent: Node<G>, { sends }: Derivation<G>): G | undefined {
    return sends === undefined
      ? parent.sends
      : this.#algebra.intersect(parent.sends, sends);
  }

  /** The packets of a grant within all that it is derived from; undefined when that cannot be written down. */
  #observes(parent: Node<G>, wanted: Derivation<G>): G | undefined {
    let observes: G | undefined = wanted.grant;
    if (!isObserver(wanted.rights)) return observes;
    for (
      let up: Node<G> | undefined = parent;
      up !== undefined && observes !== undefined;
      up = up.parent
    ) {
      // What is delegated as it is needs not be met with itself.
      if (up.grant === wanted.grant) continue;
      observes = this.#algebra.intersect(observes, up.grant);
    }
    return observes;
  }

  #makeIndex(): SiblingIndex<G> {
    return this.#algebra.makeIndex?.() ??
      new SiblingList((a, b) => this.#algebra.overlaps(a, b));
  }
}
