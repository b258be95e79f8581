/**
 * The capability kernel: who holds what, derived from what.
 *
 * Every capability is a node of one derivation tree, under a NIC's root. Its
 * tag is an entry in the table of exactly one port, and void on every other:
 * unknown, forged, revoked and somebody else's are indistinguishable. Derivation
 * only narrows: a child's packets are its parent's *and* its own, its rights are
 * among its parent's, its quota is carved out of its parent's, and its grant
 * overlaps no sibling's, so that no packet has two owners.
 *
 * Pure: what grants are and when they overlap is given by a {@link GrantAlgebra}.
 */

import { SLOT_NONE } from "./memory.ts";
import {
  hasRights,
  isObserver,
  isRights,
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  RIGHT_SEND,
  type Rights,
  RIGHTS_ALL,
} from "./rights.ts";
import { type SiblingIndex, SiblingList } from "./sibling_index.ts";
import {
  type Capability,
  capabilityOf,
  type Tag,
  type TagGenerator,
  tagOf,
} from "./tag.ts";

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

/** A port's number, given by whoever wires the system. */
export type PortId = number;

/** What a new capability is to be. */
export interface Derivation<G> {
  /** Which of the parent's packets. */
  readonly grant: G;
  /**
   * Which of those it receives, as filter text; absent for all. It separates no
   * siblings, so nothing can be derived from a capability that has it.
   */
  readonly residual?: string;
  /** Which frames may be sent; absent for the parent's. */
  readonly sends?: G;
  readonly rights: Rights;
  /** Pages carved out of the parent's quota. */
  readonly quotaPages: number;
  /** Packets of up to so many bytes are copied, larger ones come as pages; absent for the parent's. */
  readonly copyBytesMax?: number;
  /** In whose table the new tag goes; absent for the deriver's own. */
  readonly to?: PortId;
}

/** Why something was refused. */
export type Refusal =
  /** The tag is not a live capability of this port. */
  | "void"
  /** The capability lacks the right. */
  | "right"
  /** The capability has filter text: nothing is derived from it. */
  | "residual"
  /** The grant could overlap one that was derived before. */
  | "overlap"
  /** The parent has not that many pages left. */
  | "quota"
  /** The parent takes no new work. */
  | "closed"
  /** The system holds as many capabilities as it may. */
  | "full"
  /** A field of the request makes no sense. */
  | "invalid"
  /** A grant, met with its parent's, is too large to write down. */
  | "complex";

/** A capability as the kernel sees it. */
export interface CapabilityNode<G> {
  readonly slot: number;
  readonly tag: Tag;
  readonly port: PortId;
  readonly parent: CapabilityNode<G> | undefined;
  readonly children: ReadonlySet<CapabilityNode<G>>;
  readonly grant: G;
  /** Filter text that selects among the grant's packets; the others are its parent's. */
  readonly residual?: string;
  /** The frames that it may send, its ancestors' limits included. */
  readonly sends: G;
  /** The frames that it gets copies of, its ancestors' limits included; observers only. */
  readonly observes?: G;
  readonly rights: Rights;
  readonly quotaPages: number;
  /** What of its quota was not carved out for others. */
  readonly pagesLeft: number;
  readonly copyBytesMax: number;
  readonly closed: boolean;
}

interface Node<G> extends CapabilityNode<G> {
  readonly children: Set<Node<G>>;
  /** The children's grants. Made with the first child. */
  taken: SiblingIndex<G> | undefined;
  readonly parent: Node<G> | undefined;
  pagesLeft: number;
  closed: boolean;
  live: boolean;
}

/** What {@link CapabilityKernel.derive} answers. */
export type Derived<G> =
  | { readonly capability: Capability; readonly node: CapabilityNode<G> }
  | { readonly refused: Refusal };

/** Limits of a kernel. */
export interface KernelLimits {
  /** Capabilities that may exist at once. */
  readonly capabilitiesMax: number;
  /** How far from the root a capability may be. */
  readonly depthMax: number;
}

/** Holds one NIC's derivation tree and the ports' tables. */
export class CapabilityKernel<G> {
  readonly #algebra: GrantAlgebra<G>;
  readonly #tags: TagGenerator;
  readonly #limits: KernelLimits;
  readonly #entries = new Map<Capability, Node<G>>();
  /** Revoked, but some of its pages are still out: slot and quota stay taken. */
  readonly #draining = new Map<number, Node<G>>();
  readonly #freeSlots: number[] = [];
  #slotNext = 1;
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
    this.#root = {
      slot: SLOT_NONE,
      tag: this.#tags.next(),
      port,
      parent: undefined,
      children: new Set(),
      taken: undefined,
      grant: this.#algebra.everything,
      sends: this.#algebra.everything,
      rights: RIGHTS_ALL,
      quotaPages,
      pagesLeft: quotaPages,
      copyBytesMax: COPY_BYTES_MAX_DEFAULT,
      closed: false,
      live: true,
    };
    return this.#enter(this.#root);
  }

  /** The root; undefined before {@link makeRoot}. */
  get root(): CapabilityNode<G> | undefined {
    return this.#root;
  }

  /** Live capabilities, the root included. */
  get size(): number {
    return this.#entries.size;
  }

  /** What `tag` means on `port`: undefined for unknown, forged, revoked and other ports' alike. */
  present(port: PortId, tag: unknown): CapabilityNode<G> | undefined {
    return this.#find(port, tag);
  }

  /** Derives a narrower capability. */
  derive(port: PortId, tag: unknown, wanted: Derivation<G>): Derived<G> {
    const parent = this.#find(port, tag);
    if (parent === undefined) return { refused: "void" };
    const to = wanted.to ?? port;
    const refused = this.#whyRefused(parent, wanted, to === port);
    if (refused !== undefined) return { refused };
    const sends = wanted.sends === undefined
      ? parent.sends
      : this.#algebra.intersect(parent.sends, wanted.sends);
    const observes = this.#observes(parent, wanted);
    if (sends === undefined || observes === undefined) {
      return { refused: "complex" };
    }
    const observer = isObserver(wanted.rights);
    const node: Node<G> = {
      slot: this.#freeSlots.pop() ?? this.#slotNext++,
      tag: this.#tags.next(),
      port: to,
      parent,
      children: new Set(),
      taken: undefined,
      grant: wanted.grant,
      ...(wanted.residual === undefined ? {} : { residual: wanted.residual }),
      sends,
      ...(observer ? { observes } : {}),
      rights: wanted.rights,
      quotaPages: wanted.quotaPages,
      pagesLeft: wanted.quotaPages,
      copyBytesMax: wanted.copyBytesMax ?? parent.copyBytesMax,
      closed: false,
      live: true,
    };
    parent.pagesLeft -= wanted.quotaPages;
    parent.children.add(node);
    if (!observer) {
      parent.taken ??= this.#makeIndex();
      parent.taken.add(node.grant);
    }
    return { capability: this.#enter(node), node };
  }

  /** Takes no new work: nothing more is derived from it; what was, lives on. */
  close(port: PortId, tag: unknown): Refusal | undefined {
    const node = this.#find(port, tag);
    if (node === undefined) return "void";
    node.closed = true;
    return undefined;
  }

  /**
   * Ends everything that was derived from a capability, in every port's table.
   * The capability itself lives on, and its packets flow to it again.
   * @returns the ended ones, parents before children.
   */
  revoke(
    port: PortId,
    tag: unknown,
  ): CapabilityNode<G>[] | { readonly refused: Refusal } {
    const node = this.#find(port, tag);
    if (node === undefined) return { refused: "void" };
    return [...node.children].flatMap((child) => this.#end(child));
  }

  /** Gives a capability up, with everything that was derived from it. The root stays. */
  drop(
    port: PortId,
    tag: unknown,
  ): CapabilityNode<G>[] | { readonly refused: Refusal } {
    const node = this.#find(port, tag);
    if (node === undefined) return { refused: "void" };
    if (node.parent === undefined) return { refused: "right" };
    return this.#end(node);
  }

  /** Ends all that is in the table of `port`: its holder is gone. */
  releasePort(port: PortId): CapabilityNode<G>[] {
    const held = [...this.#entries.values()].filter((node) =>
      node.port === port
    );
    return held.flatMap((
      node,
    ) => (node.live && node.parent !== undefined ? this.#end(node) : []));
  }

  /**
   * The last page of a revoked capability has come back: its slot may be used
   * again, its quota is its nearest live ancestor's.
   */
  drained(slot: number): void {
    const node = this.#draining.get(slot);
    if (node === undefined) return;
    this.#draining.delete(slot);
    this.#freeSlots.push(slot);
    // What it had carved out for children comes back when those have drained.
    this.#giveBack(node.parent, node.pagesLeft);
  }

  #giveBack(ancestor: Node<G> | undefined, pages: number): void {
    let to = ancestor;
    while (to !== undefined && !to.live && !this.#draining.has(to.slot)) {
      to = to.parent;
    }
    if (to !== undefined) to.pagesLeft += pages;
  }

  #find(port: PortId, tag: unknown): Node<G> | undefined {
    if (tagOf(tag) === undefined) return undefined;
    const node = this.#entries.get(tag as Capability);
    return node?.port === port ? node : undefined;
  }

  #enter(node: Node<G>): Capability {
    const capability = capabilityOf(node.tag);
    if (this.#entries.has(capability)) {
      throw new Error("capability kernel: a tag was issued twice");
    }
    this.#entries.set(capability, node);
    return capability;
  }

  #end(node: Node<G>): CapabilityNode<G>[] {
    node.live = false;
    node.parent?.children.delete(node);
    if (!isObserver(node.rights)) node.parent?.taken?.remove(node.grant);
    this.#entries.delete(capabilityOf(node.tag));
    this.#draining.set(node.slot, node);
    return [node, ...[...node.children].flatMap((child) => this.#end(child))];
  }

  #whyRefused(
    parent: Node<G>,
    wanted: Derivation<G>,
    own: boolean,
  ): Refusal | undefined {
    const needed = own ? RIGHT_DERIVE : RIGHT_DERIVE | RIGHT_DELEGATE;
    if (!hasRights(parent.rights, needed)) return "right";
    if (!isRights(wanted.rights) || !isCount(wanted.quotaPages)) {
      return "invalid";
    }
    if (!isCount(wanted.copyBytesMax ?? 0)) return "invalid";
    if (!hasRights(parent.rights, wanted.rights)) return "right";
    if (parent.closed) return "closed";
    if (parent.residual !== undefined) return "residual";
    if (wanted.quotaPages > parent.pagesLeft) return "quota";
    const taken = this.#entries.size + this.#draining.size;
    if (
      taken >= this.#limits.capabilitiesMax ||
      depthOf(parent) >= this.#limits.depthMax
    ) {
      return "full";
    }
    // Observers own nothing, so they may overlap; their slot's one check is taken.
    if (isObserver(wanted.rights)) {
      const more = hasRights(wanted.rights, RIGHT_SEND) ||
        wanted.residual !== undefined;
      return more ? "invalid" : undefined;
    }
    return parent.taken?.overlaps(wanted.grant) ? "overlap" : undefined;
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
      observes = this.#algebra.intersect(observes, up.grant);
    }
    return observes;
  }

  #makeIndex(): SiblingIndex<G> {
    return this.#algebra.makeIndex?.() ??
      new SiblingList((a, b) => this.#algebra.overlaps(a, b));
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function depthOf<G>(node: CapabilityNode<G>): number {
  let depth = 0;
  for (let up = node.parent; up !== undefined; up = up.parent) depth++;
  return depth;
}
