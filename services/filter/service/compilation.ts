/**
 * From the derivation tree to the programs that classify for it, and from its
 * changes to changes of their tables, where those will do.
 */

import { given } from "../../../caps/kernel/given.ts";
import type { KernelCover } from "../../../caps/driver/messages.ts";
import type { CapabilityNode } from "../../../caps/kernel/kernel.ts";
import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import type {
  KernelMapChange,
  KernelProgram,
  SocketFilter,
  WasmPatch,
  WasmProgram,
} from "../../../caps/driver/program.ts";
import {
  hasRights,
  isObserver,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../../caps/kernel/rights.ts";
import type { Tag } from "../../../caps/kernel/tag.ts";
import type { Accept, TreeNode } from "../tree/node.ts";
import { emitEbpfTables } from "../ebpf/emit.ts";
import { ProgramTooLarge } from "../ebpf/limits.ts";
import type { RunningTables } from "../ebpf/tables.ts";
import { Cover } from "../ebpf/cover.ts";
import { FlowSet } from "../tree/flow_set.ts";
import type { Grant } from "../grant/grant.ts";
import { locateFlows } from "../tree/locate.ts";
import { residualOf } from "../residual/compile.ts";
import { SocketCover } from "../classic/cover.ts";
import { type GrantNode, mergeTree } from "../tree/merge.ts";
import { emitWasmTables } from "../wasm/emit.ts";
import type { CheckCache } from "../wasm/permits.ts";
import type { WasmTables } from "../wasm/running_tables.ts";

/** What programs are compiled for. */
export interface CompileTarget {
  /** 64 KiB pages of packet memory. */
  readonly memoryPages: number;
  /** Where the NIC classifies itself: what becomes of packets that are nobody's. */
  readonly kernel?: { readonly unclaimed: "kernel" | "drop" };
  /** Whether the NIC is a packet socket, which can be spared what is nobody's. */
  readonly socket?: boolean;
}

/** One tree, in each form that is wanted. */
export interface Programs {
  /** For packet memory. */
  readonly wasm: WasmProgram;
  /** For the NIC itself, where it takes one. */
  readonly kernel?: KernelProgram;
  /** Where that is a cover, because it would have been too large. */
  readonly cover?: KernelCover;
  /** For a packet socket. */
  readonly socket?: SocketFilter;
}

/** A change to each of these. */
export interface Patches {
  /** Words of its tables. */
  readonly wasm: WasmPatch;
  /** Entries of its maps, where there is one. */
  readonly kernel?: readonly KernelMapChange[];
}

/** Changes to the derivation tree. */
export interface Changes {
  /** Revoked capabilities, with all that was derived from them. */
  readonly ended: readonly CapabilityNode<Grant>[];
  /** New ones, parents before children. */
  readonly opened: readonly CapabilityNode<Grant>[];
}

/** More changes at once than these are compiled: a driver makes them all between two batches. */
const CHANGES_MAX = 256;

/** All that is derived from a root, compiled, and kept up to date in tables for as long as that will do. */
export class Compilation {
  /** What was compiled, without what was changed since. */
  readonly programs: Programs;
  readonly #tree: TreeNode;
  readonly #flows: FlowSet;
  readonly #wasm: WasmTables;
  #kernel: RunningTables | undefined;
  readonly #root: CapabilityNode<Grant>;
  readonly #roots: readonly GrantNode[];
  readonly #target: CompileTarget;
  /** What the NIC takes, where that is more than it is told of. */
  #cover: Cover | undefined;
  /** What a packet socket takes. */
  readonly #socket: SocketCover | undefined;
  /** What each capability's grant became, for those that the tables or the code know. */
  readonly #accepts: Map<CapabilityNode<Grant>, Accept>;

  /**
   * Compiles all that is derived from `root`.
   * @throws {FilterLimitError} and the like, when it is more than a program takes.
   */
  constructor(
    root: CapabilityNode<Grant>,
    target: CompileTarget,
    checks: CheckCache,
  ) {
    const nodes = new Map<CapabilityNode<Grant>, GrantNode>();
    const roots = ownersAmong(root).map((node) => grantNodeOf(node, nodes));
    const accepts = new Map<GrantNode, Accept>();
    const tree = mergeTree(roots, accepts);
    const all = [...nodes.keys()];
    const sends = all
      .filter((node) => hasRights(node.rights, RIGHT_SEND))
      .map(({ slot, sends }) => ({ slot, grant: sends }))
      .concat(observersBelow(root));
    if (target.socket === true) {
      const observed = observersBelow(root).map(({ grant }) => grant);
      this.#socket = new SocketCover(roots, observed);
    }
    const { memoryPages } = target;
    const wasm = emitWasmTables(tree, sends, { memoryPages, checks });
    this.#root = root;
    this.#roots = roots;
    this.#target = target;
    this.#tree = tree;
    this.#flows = new FlowSet(tree);
    this.#wasm = wasm.tables;
    this.#accepts = new Map(
      [...nodes].map(([node, grant]) => [node, accepts.get(grant)!]),
    );
    if (target.kernel === undefined) {
      const socket = this.#socket?.emit();
      this.programs = {
        wasm: wasm.program,
        ...given({ socket }),
      };
      return;
    }
    const tags = new Map<number, Tag>(all.map(({ slot, tag }) => [slot, tag]));
    const tagOf = (slot: number) => tags.get(slot)!;
    try {
      const kernel = emitEbpfTables(tree, tagOf, target.kernel);
      this.#kernel = kernel.tables;
      this.programs = { wasm: wasm.program, kernel: kernel.program };
    } catch (error) {
      if (!(error instanceof ProgramTooLarge)) throw error;
      this.programs = { wasm: wasm.program, ...this.cover(error.message) };
    }
  }

  /**
   * What the NIC is to run instead of its own program, which it has refused for
   * the reason `why`.
   * @throws when there is nothing that it could; both reasons are in the message.
   */
  cover(
    why: string,
  ): { readonly kernel: KernelProgram; readonly cover: KernelCover } {
    const { unclaimed } = this.#target.kernel!;
    const cover = new Cover(this.#roots);
    try {
      // The root's tag is never a driver's to know.
      const { tag } = this.#root;
      const programs = cover.emit({ unclaimed, tag, why });
      this.#cover = cover;
      this.#kernel = undefined;
      return programs;
    } catch (cause) {
      if (!(cause instanceof ProgramTooLarge)) throw cause;
      throw new Error(bothReasons(why, cause.message), { cause });
    }
  }

  /**
   * What the running programs' tables need so that they do what a compilation
   * of the changed tree would; undefined when they cannot, and this compilation
   * is then of no use any more.
   */
  change({ ended, opened }: Changes): Patches | undefined {
    if (ended.length + opened.length > CHANGES_MAX) return undefined;
    // What observers see is checked by code of their own.
    if ([...ended, ...opened].some(({ rights }) => isObserver(rights))) {
      return undefined;
    }
    if (this.#cover !== undefined && !this.#covers({ ended, opened })) {
      return undefined;
    }
    if (!opened.every((node) => this.#reaches(node))) return undefined;
    // Keys and slots may be taken again by what is opened.
    const done = ended.every((node) => this.#end(node)) &&
      opened.every((node) => this.#open(node));
    if (!done) return undefined;
    const wasm = this.#wasm.take();
    return this.#kernel === undefined
      ? { wasm }
      : { wasm, kernel: this.#kernel.take() };
  }

  /** Whether the cover will do for what is opened; when something ended, the NIC may take its own program again. */
  #covers({ ended, opened }: Changes): boolean {
    if (ended.length > 0) return false;
    if (this.#target.kernel!.unclaimed === "drop") return true;
    return opened.every(({ rights, grant }) =>
      !hasRights(rights, RIGHT_RECEIVE) || this.#cover!.takes(grant)
    );
  }

  /** Whether a packet socket takes what is new, or there is none. */
  #reaches(node: CapabilityNode<Grant>): boolean {
    if (this.#socket === undefined) return true;
    if (!hasRights(node.rights, RIGHT_RECEIVE)) return true;
    // The root's own grant is everything, and is not asked of the kernel.
    const fallback = fallbackNodeOf(node);
    return fallback?.parent !== undefined || this.#socket.takes(node.grant);
  }

  #open(node: CapabilityNode<Grant>): boolean {
    const { slot, residual, grant } = grantNodeOf(node, new Map());
    if (residual !== undefined) return false;
    const siblings = this.#siblingsOf(node);
    const places = siblings && locateFlows(siblings, grant);
    if (places === undefined) return false;
    const owner = slot === SLOT_NONE ? fallbackNodeOf(node) : node;
    for (const place of places) {
      const { branch, key } = place;
      if (!this.#flows.add(place)) return false;
      if (!this.#wasm.setFlow(branch, key, owner?.slot ?? SLOT_NONE)) {
        return false;
      }
      const tag = owner?.parent === undefined ? NO_TAG : owner.tag;
      if (this.#kernel?.add(branch, { key, tag }) === false) return false;
    }
    this.#accepts.set(node, { slot: owner?.slot ?? SLOT_NONE });
    if (!hasRights(node.rights, RIGHT_SEND)) return true;
    return this.#wasm.setSend({ slot: node.slot, grant: node.sends });
  }

  #end(node: CapabilityNode<Grant>): boolean {
    // It was over before it was ever installed.
    if (!this.#accepts.has(node)) return true;
    const siblings = this.#siblingsOf(node);
    const places = siblings && locateFlows(siblings, node.grant);
    if (places === undefined) return false;
    for (const place of places) {
      if (!this.#flows.delete(place)) return false;
      this.#wasm.deleteFlow(place.branch, place.key);
      if (this.#kernel?.delete(place.branch, place.key) === false) return false;
    }
    this.#accepts.delete(node);
    this.#wasm.deleteSend(node.slot);
    return true;
  }

  /** The tree of a capability's siblings, where it was compiled. */
  #siblingsOf(node: CapabilityNode<Grant>): TreeNode | undefined {
    const { parent } = node;
    return parent?.parent === undefined
      ? this.#tree
      : this.#accepts.get(parent)?.children;
  }
}

/** Why a NIC has neither its own program nor a cover, in one line. */
export function bothReasons(own: string, cover: string): string {
  const line = (why: string) => why.split("\n", 1)[0]!;
  return `${
    line(own)
  }; nor does it take all packets to the same addresses, for packet memory to be classified: ${
    line(cover)
  }`;
}

/** The tag of packets that nobody receives. */
const NO_TAG: Tag = { low: 0, high: 0 };

/** A capability and all that is derived from it, as grants; `nodes` is filled with them. */
function grantNodeOf(
  node: CapabilityNode<Grant>,
  nodes: Map<CapabilityNode<Grant>, GrantNode>,
): GrantNode {
  const { rights, grant } = node;
  const residual = residualOf(node);
  const made: GrantNode = {
    slot: hasRights(rights, RIGHT_RECEIVE) ? node.slot : SLOT_NONE,
    grant,
    ...given({ residual }),
    children: ownersAmong(node).map((child) => grantNodeOf(child, nodes)),
  };
  nodes.set(node, made);
  return made;
}

/** The capabilities derived from one that own packets: the tree is theirs. */
function ownersAmong(
  node: CapabilityNode<Grant>,
): CapabilityNode<Grant>[] {
  return [...node.children].filter(({ rights }) => !isObserver(rights));
}

/** What each observer below a capability gets copies of, by its slot. */
function observersBelow(
  node: CapabilityNode<Grant>,
): { readonly slot: number; readonly grant: Grant }[] {
  return [...node.children].flatMap((child) => [
    ...(child.observes === undefined
      ? []
      : [{ slot: child.slot, grant: child.observes }]),
    ...observersBelow(child),
  ]);
}

/** The slot of the nearest ancestor that receives: who gets a revoked capability's packets. */
export function fallbackOf(node: CapabilityNode<Grant>): number {
  return fallbackNodeOf(node)?.slot ?? SLOT_NONE;
}

function fallbackNodeOf(
  node: CapabilityNode<Grant>,
): CapabilityNode<Grant> | undefined {
  let up = node.parent;
  while (up !== undefined && !hasRights(up.rights, RIGHT_RECEIVE)) {
    up = up.parent;
  }
  return up;
}
