/**
 * The cover: what the NIC hands over where its own program for all that is
 * granted became too large, or the kernel refused it. It takes every packet of
 * the grants, and says of none whose it is: packet memory is classified then.
 *
 * ```
 *  ├── frames ──────────────────────────────────────────────────┤
 *  ├── cover ──────────────────────────┤     the kernel's own
 *  ├── grants ─────────┤  nobody's: dropped and counted
 * ```
 *
 * A conjunction that asks for one unicast destination is widened to all frames
 * for that address: those are for a holder of ours, the kernel would not take
 * them either, unless the address is the interface's own, which is the driver's
 * to check. Any other is kept as it is, so that the cover takes nothing that is
 * the kernel's. Filter text is left out: it only narrows.
 */

import type { KernelCover } from "../../../caps/driver/messages.ts";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import type { Tag } from "../../../caps/kernel/tag.ts";
import { emitEbpf } from "./emit.ts";
import type { Conjunction, Grant, MacPattern } from "../grant/grant.ts";
import { ConjunctionSet } from "../grant/conjunction_set.ts";
import { type GrantNode, mergeTree } from "../tree/merge.ts";
import { receivedGrants } from "../tree/receivers.ts";

/** How a cover is to be emitted. */
export interface CoverOptions {
  /** What becomes of packets that are not covered. */
  readonly unclaimed: "kernel" | "drop";
  /** Written in front of those that are: no live capability's, and not 0. */
  readonly tag: Tag;
  /** Why there is no program for the grants themselves: a line that says it, then all that is known. */
  readonly why: string;
}

/** All packets of a set of grants, and some for the same addresses. */
export class Cover {
  readonly #conjunctions: ConjunctionSet;

  /** Covers what `roots` and all that is derived from them receive. */
  constructor(roots: readonly GrantNode[]) {
    this.#conjunctions = new ConjunctionSet(
      receivedGrants(roots).flat().map(widen),
    );
  }

  /** The packets that the program takes, where others are the kernel's. */
  get grant(): Grant {
    return this.#conjunctions.grant;
  }

  /** Whether another grant is surely covered, too. */
  takes(grant: Grant): boolean {
    return this.#conjunctions.hasAll(grant.map(widen));
  }

  /**
   * A program that takes it; everything, where the kernel gets nothing anyway.
   * @throws {ProgramTooLarge} when that is too large, too.
   */
  emit(
    { unclaimed, tag, why }: CoverOptions,
  ): { readonly kernel: KernelProgram; readonly cover: KernelCover } {
    const all = unclaimed === "drop";
    const grant = all ? [{}] : this.grant;
    const tree = mergeTree([{ slot: COVERED, grant, children: [] }]);
    const addresses = all
      ? []
      : grant.filter(isWidened).map((one) => one.etherDst!.address);
    return {
      kernel: emitEbpf(tree, () => tag, { unclaimed }),
      cover: { why, addresses },
    };
  }
}

/** Any slot will do: all have one tag. */
const COVERED = 1;

/** Widens a conjunction with one unicast destination to all frames for it, on the VLAN that is asked for. */
function widen(conjunction: Conjunction): Conjunction {
  const { etherDst, vlan } = conjunction;
  if (etherDst === undefined || !isOneUnicast(etherDst)) return conjunction;
  return vlan === undefined ? { etherDst } : { etherDst, vlan };
}

function isWidened({ etherDst }: Conjunction): boolean {
  return etherDst !== undefined && isOneUnicast(etherDst);
}

/** The lowest bit of the first byte says group (IEEE 802). */
function isOneUnicast({ address, mask }: MacPattern): boolean {
  return mask.every((byte) => byte === 0xff) && (address[0]! & 1) === 0;
}
