/** The capabilities that a driver service knows, by slot and by tag. */

import type {
  AccountCounts,
  AccountSpec,
  EndedCounts,
  QuotaChanges,
} from "../../caps/driver/messages.ts";
import { SLOT_NONE } from "../../caps/kernel/slots.ts";
import { isObserver } from "../../caps/kernel/rights.ts";
import { TagTable } from "../../caps/kernel/tag_table.ts";
import { EndedAccounts } from "./ended_accounts.ts";
import type { Holder } from "./holder.ts";
import { Account } from "./account.ts";
import { makeMeters } from "./meter.ts";
import { type Entitlements, PageQuota } from "./page_quota.ts";

/** Live capabilities that a driver service knows at most. */
const ACCOUNTS_MAX = 65536;

/** One account for each capability, kept until its last page is back and longer. */
export class AccountTable {
  /** By slot. */
  readonly accounts: (Account | undefined)[] = [];
  /** The slots of live capabilities, by tag. */
  readonly tags: TagTable = new TagTable(ACCOUNTS_MAX);
  /** The live accounts that get copies. */
  readonly observers = new Set<Account>();
  /** The pages that live capabilities may still ask for. */
  readonly entitlements: Entitlements = { pages: 0 };
  /**
   * By the slot of a capability that was not opened, though classifiers may know
   * it: the slot whose packets its are.
   */
  readonly #unopened: (number | undefined)[] = [];
  readonly #ended = new EndedAccounts();
  readonly #frameBytesMax: number;

  readonly #onDrained: (account: Account) => void;

  /**
   * For a NIC whose packets have at most `frameBytesMax` bytes; `onDrained` is
   * called when a revoked capability's last page has come back.
   */
  constructor(frameBytesMax: number, onDrained: (account: Account) => void) {
    this.#frameBytesMax = frameBytesMax;
    this.#onDrained = onDrained;
  }

  /** The live account that a packet of `slot` belongs to: of a revoked one, its fallback. */
  ownerOf(slot: number): Account | undefined {
    const { accounts } = this;
    let at = slot;
    // At most as many steps as the derivation tree is deep.
    while (at !== SLOT_NONE) {
      const account = accounts[at];
      if (account?.live) return account;
      at = account?.fallback ?? this.#unopened[at] ?? SLOT_NONE;
    }
    return undefined;
  }

  /** The live account of `holder`'s at `slot`, if there is one. */
  liveAccount(holder: Holder, slot: number): Account | undefined {
    const account = this.accounts[slot];
    return account?.holder === holder && account.live ? account : undefined;
  }

  /** Gives `pages` that have come back, or were sent, to the account's quota again. */
  release(account: Account, pages: number): void {
    account.pages.release(pages);
    if (!account.live && account.pages.held === 0) this.#onDrained(account);
  }

  /** Opens an account; but not where the ancestor whose limit holds for it was revoked meanwhile. */
  open(spec: AccountSpec, holder: Holder): void {
    const parent = this.accounts[spec.parent ?? SLOT_NONE];
    const ancestor = this.accounts[spec.limitedBy ?? SLOT_NONE];
    if (spec.limitedBy !== undefined && !ancestor?.live) {
      this.leaveOut(spec);
      return;
    }
    this.#unopened[spec.slot] = undefined;
    const meters = makeMeters(
      spec.limit,
      this.#frameBytesMax,
      ancestor?.meters,
    );
    const pages = new PageQuota(
      spec.quotaPages,
      this.entitlements,
      parent?.pages,
    );
    const account = new Account(spec, holder, pages, meters);
    this.accounts[spec.slot] = account;
    if (isObserver(spec.rights)) this.observers.add(account);
    if (
      !this.tags.insert({ low: spec.tagLow, high: spec.tagHigh }, spec.slot)
    ) {
      throw new Error(`driver service: more than ${ACCOUNTS_MAX} capabilities`);
    }
  }

  /** Opens no account for a capability that is about to be revoked: its packets are its parent's. */
  leaveOut(spec: AccountSpec): void {
    // Somebody else may have had the slot.
    this.accounts[spec.slot] = undefined;
    this.#unopened[spec.slot] = spec.parent;
  }

  /**
   * Revokes the capability at `slot`, whose packets are those of the slot
   * `fallback` from now on, or nobody's for SLOT_NONE.
   */
  revoke(slot: number, fallback: number): void {
    const account = this.accounts[slot];
    if (account !== undefined) {
      this.close(account);
      // Where this one was never opened, the slot is still the one's before.
      account.fallback ??= fallback;
    } else if (this.#unopened[slot] !== undefined) {
      this.#unopened[slot] = fallback;
    }
  }

  /** Closes the account of a capability that was revoked, or whose holder was terminated: it gets nothing more. */
  close(account: Account): void {
    this.observers.delete(account);
    if (account.live) {
      account.holder.excuse();
      this.#ended.add(account);
      this.tags.remove({
        low: account.spec.tagLow,
        high: account.spec.tagHigh,
      });
    }
    account.live = false;
    account.pages.close();
  }

  /** Sets the quotas of capabilities that others were carved out of, or that got theirs back. */
  setQuotas(quotas: QuotaChanges): void {
    for (const { slot, quotaPages } of quotas) {
      this.accounts[slot]?.pages.set(quotaPages);
    }
  }

  /** The counts of live capabilities. */
  counts(): AccountCounts[] {
    return this.accounts.flatMap((account) =>
      account?.live ? [account.counts()] : []
    );
  }

  /** The counts of revoked capabilities, by holder. */
  endedCounts(): EndedCounts[] {
    return this.#ended.counts();
  }
}
