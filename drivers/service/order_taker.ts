/** Orders of the filter service: which capabilities there are, and what classifies for them. */

import type {
  DriverOrder,
  DriverReport,
  InstallOrder,
} from "../../caps/driver/messages.ts";
import { given } from "../../caps/kernel/given.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import type { Port } from "../../caps/port/port.ts";
import type { AccountTable } from "./account_table.ts";
import type { Classifier } from "./classifier.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Holder } from "./holder.ts";
import type { KernelClassifier } from "./kernel_classifier.ts";

export interface OrderTakerParts {
  /** Orders come in, reports go out. */
  readonly orders: Port<DriverReport, DriverOrder>;
  readonly holders: ReadonlyMap<PortId, Holder>;
  readonly table: AccountTable;
  readonly classifier: Classifier;
  readonly kernelClassifier: KernelClassifier;
  readonly deliverer: Deliverer;
}

/** Obeys one filter service. */
export class OrderTaker {
  readonly #parts: OrderTakerParts;

  constructor(parts: OrderTakerParts) {
    this.#parts = parts;
  }

  /** Takes what has arrived. Returns how many orders. */
  take(): number {
    let orders = 0;
    for (
      let order = this.#parts.orders.take();
      order !== undefined;
      order = this.#parts.orders.take()
    ) {
      if (order.kind === "revoke") this.#revoke(order);
      else if (order.kind === "quota") {
        this.#parts.table.setQuotas(order.quotas);
      } else if (order.kind === "account") this.#tell(order);
      else this.#commit(order);
      orders++;
    }
    return orders;
  }

  /**
   * New capabilities come first: until the classifiers know them, their packets
   * are their parents'.
   */
  #commit(order: InstallOrder): void {
    for (const spec of order.opened) {
      const holder = this.#parts.holders.get(spec.port);
      // It may have been detached while the order was on its way: the revocation is coming.
      if (holder === undefined) this.#parts.table.leaveOut(spec);
      else this.#parts.table.open(spec, holder);
    }
    this.#parts.table.setQuotas(order.quotas);
    if (order.kind === "commit") this.#parts.classifier.install(order.wasm);
    else this.#parts.classifier.patch(order.wasm);
    const kernelRefusal = this.#parts.kernelClassifier.apply(order);
    this.#parts.orders.post({
      kind: "committed",
      version: order.version,
      ...given({ kernelRefusal }),
    });
  }

  #revoke(order: Extract<DriverOrder, { kind: "revoke" }>): void {
    const drained: number[] = [];
    for (let i = 0; i < order.ended.length; i += 2) {
      const slot = order.ended[i]!;
      const account = this.#parts.table.accounts[slot];
      if (account !== undefined) this.#parts.deliverer.finish(account.holder);
      this.#parts.table.revoke(slot, order.ended[i + 1]!);
      if (account === undefined || account.pages.held === 0) drained.push(slot);
    }
    this.#parts.orders.post({ kind: "revoked", id: order.id });
    if (drained.length > 0) {
      const slots = Uint32Array.from(drained);
      this.#parts.orders.post({ kind: "drained", slots });
    }
  }

  #tell({ id, slot }: Extract<DriverOrder, { kind: "account" }>): void {
    const account = this.#parts.table.accounts[slot];
    this.#parts.orders.post({
      kind: "account",
      id,
      ...(account?.live ? { counts: account.counts() } : {}),
    });
  }
}
