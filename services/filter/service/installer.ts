/**
 * Installs what is compiled in the driver: in rounds, one after the other, with
 * changes to tables where those will do.
 */

import { given } from "../../../caps/kernel/given.ts";
import type {
  AccountSpec,
  DriverOrder,
  DriverReport,
  InstallOrder,
  QuotaChanges,
} from "../../../caps/driver/messages.ts";
import type {
  CapabilityKernel,
  CapabilityNode,
} from "../../../caps/kernel/kernel.ts";
import type { Port } from "../../../caps/port/port.ts";
import { capabilityOf } from "../../../caps/kernel/capability.ts";
import { Calls } from "../../runtime/calls.ts";
import {
  bothReasons,
  Compilation,
  type CompileTarget,
  type Patches,
} from "./compilation.ts";
import type { Grant } from "../grant/grant.ts";
import { CheckCache } from "../wasm/permits.ts";

/** What is installed, and where. */
export interface InstallerOptions {
  readonly kernel: CapabilityKernel<Grant>;
  readonly target: CompileTarget;
  readonly driver: Pick<Port<DriverOrder, DriverReport>, "post">;
}

type Unnumbered<Order> = Order extends unknown ? Omit<Order, "version"> : never;

/** What a driver is to know before its classifiers do. */
interface Arrivals {
  readonly nodes: readonly CapabilityNode<Grant>[];
  readonly opened: readonly AccountSpec[];
  readonly quotas: QuotaChanges;
}

/** Keeps one driver's classifiers up to date. */
export class Installer {
  readonly #options: InstallerOptions;
  /** Capabilities that no driver knows yet. */
  #opened: CapabilityNode<Grant>[] = [];
  /** Revoked capabilities that may still be in the classifiers. */
  #ended: CapabilityNode<Grant>[] = [];
  /** What the driver has; undefined when that is not known. */
  #installed: Compilation | undefined;
  readonly #checks = new CheckCache();
  /** The round of compiling that is under way, or was last. */
  #round: Promise<unknown> = Promise.resolve();
  #nextRound: Promise<string | undefined> | undefined;
  /** Orders by their versions, answered by why the NIC refused its part, if it did. */
  readonly #orders = new Calls<string | undefined>(
    "the driver service",
    Infinity,
  );

  /** Installs nothing before {@link commit}. */
  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** Whether revoked capabilities may still be in the classifiers, with no round to come. */
  get behind(): boolean {
    return this.#ended.length > 0 && this.#nextRound === undefined;
  }

  /** Installs a new capability in the next round. */
  open(node: CapabilityNode<Grant>): void {
    this.#opened.push(node);
  }

  /** Removes revoked capabilities in the next round. */
  end(nodes: readonly CapabilityNode<Grant>[]): void {
    this.#ended.push(...nodes);
  }

  /** Takes the driver's answer to an order. */
  committed(
    { version, kernelRefusal }: Extract<DriverReport, { kind: "committed" }>,
  ): void {
    this.#orders.answer(version, kernelRefusal);
  }

  /**
   * Brings the classifiers up to date. Rounds follow one another; a round that
   * has not begun takes all that was derived by the time it does. Resolves with
   * why, where the driver cannot have it.
   */
  commit(): Promise<string | undefined> {
    this.#nextRound ??= this.#round.then(() => {
      this.#nextRound = undefined;
      const round = this.#install();
      this.#round = round;
      return round;
    });
    return this.#nextRound;
  }

  async #install(): Promise<string | undefined> {
    try {
      const arrivals = this.#takeArrivals();
      const patches = this.#patch(arrivals.nodes);
      if (patches === undefined) return await this.#replace(arrivals);
      const { opened, quotas } = arrivals;
      const order = { kind: "patch", opened, quotas, ...patches } as const;
      if (await this.#order(order) === undefined) return undefined;
      // What a map has no room for has room in a new one.
      return await this.#replace(this.#takeArrivals());
    } catch (error) {
      this.#installed = undefined;
      return error instanceof Error ? error.message : String(error);
    }
  }

  #takeArrivals(): Arrivals {
    const { kernel } = this.#options;
    // Some may have been revoked since.
    const nodes = this.#opened.filter((node) =>
      kernel.present(node.port, capabilityOf(node.tag)) === node
    );
    this.#opened = [];
    const parents = new Set(nodes.map((node) => node.parent!));
    const quotas = [...parents].map(({ slot, pagesLeft }) => ({
      slot,
      quotaPages: pagesLeft,
    }));
    return { nodes, opened: nodes.map(specOf), quotas };
  }

  /** New classifiers. Where the NIC refuses its own, it gets a cover, and packet memory is classified. */
  async #replace(
    { opened, quotas }: Arrivals,
  ): Promise<string | undefined> {
    this.#installed = undefined;
    const { kernel, target } = this.#options;
    // To compile takes long, and is not done in the driver.
    const compilation = new Compilation(kernel.root!, target, this.#checks);
    const { wasm: program, ...others } = compilation.programs;
    const wasm = new WebAssembly.Module(program.module);
    const kind = "commit";
    let refusal = await this.#order({ kind, opened, quotas, wasm, ...others });
    if (refusal !== undefined && others.cover !== undefined) {
      return bothReasons(others.cover.why, refusal);
    }
    if (refusal !== undefined && others.kernel !== undefined) {
      const why = refusal;
      const instead = compilation.cover(why);
      const nothing = { opened: [], quotas: [] };
      refusal = await this.#order({ kind, ...nothing, wasm, ...instead });
      if (refusal !== undefined) return bothReasons(why, refusal);
    }
    if (refusal === undefined) this.#installed = compilation;
    return refusal;
  }

  /** Sends an order. Resolves when it is done; with why, where the NIC refused its part. */
  #order(order: Unnumbered<InstallOrder>): Promise<string | undefined> {
    const { driver } = this.#options;
    return this.#orders.ask((version) =>
      void driver.post({ ...order, version } as InstallOrder)
    );
  }

  /** What the tables of the running classifiers need; undefined when those will not do. */
  #patch(opened: readonly CapabilityNode<Grant>[]): Patches | undefined {
    const compilation = this.#installed;
    const ended = this.#ended;
    this.#ended = [];
    this.#installed = undefined;
    const patches = compilation?.change({ ended, opened });
    if (patches !== undefined) this.#installed = compilation;
    return patches;
  }
}

function specOf(node: CapabilityNode<Grant>): AccountSpec {
  return {
    slot: node.slot,
    tagLow: node.tag.low,
    tagHigh: node.tag.high,
    port: node.port,
    parent: node.parent!.slot,
    rights: node.rights,
    quotaPages: node.pagesLeft,
    copyBytesMax: node.copyBytesMax,
    ...given({ limit: node.limit }),
    ...limitedBy(node.parent),
  };
}

/** The nearest with a limit, from `node` up. */
function limitedBy(
  node: CapabilityNode<Grant> | undefined,
): { readonly limitedBy?: number } {
  let up = node;
  while (up !== undefined && up.limit === undefined) up = up.parent;
  return up === undefined ? {} : { limitedBy: up.slot };
}
