import { deepEqual, equal, throws } from "node:assert/strict";
import type { AccountSpec } from "../../../caps/driver/messages.ts";
import { RIGHT_OBSERVE, RIGHT_RECEIVE } from "../../../caps/kernel/rights.ts";
import { makePipe } from "../../../caps/port/port.ts";
import type { Delivery } from "../../../caps/port/records.ts";
import type { Account } from "../../../drivers/service/account.ts";
import { AccountTable } from "../../../drivers/service/account_table.ts";
import { Holder } from "../../../drivers/service/holder.ts";

function makeGround() {
  const drained: number[] = [];
  const table = new AccountTable(
    1514,
    ({ spec }: Account) => drained.push(spec.slot),
  );
  const holders = [1, 2].map((id) => {
    const [, forDriver] = makePipe<unknown, Delivery | null>();
    return new Holder(id, forDriver, {});
  });
  const open = (slot: number, more: Partial<AccountSpec> = {}): Account => {
    const holder = holders[(more.port ?? 1) - 1]!;
    table.open({
      slot,
      tagLow: 100 + slot,
      tagHigh: 7,
      port: 1,
      rights: RIGHT_RECEIVE,
      quotaPages: 10,
      copyBytesMax: 128,
      ...more,
    }, holder);
    return table.accounts[slot]!;
  };
  return { table, drained, holders, open };
}

Deno.test("an account is found by its tag and its holder while it is live", () => {
  const { table, holders, open } = makeGround();
  const account = open(3);
  const [holder, other] = holders as [Holder, Holder];
  equal(table.tags.find(103, 7), 3);
  equal(table.liveAccount(holder, 3), account);
  equal(table.liveAccount(other, 3), undefined);
  equal(table.liveAccount(holder, 4), undefined);
  table.close(account);
  equal(table.tags.find(103, 7), 0);
  equal(table.liveAccount(holder, 3), undefined);
});

Deno.test("packets of a revoked capability are those of the first above it that lives, or nobody's", () => {
  const { table, open } = makeGround();
  const [top, , below] = [1, 2, 3].map((slot) => open(slot));
  equal(table.ownerOf(3), below);
  table.revoke(3, 2);
  table.revoke(2, 1);
  equal(table.ownerOf(3), top);
  equal(table.ownerOf(2), top);
  table.revoke(1, 0);
  equal(table.ownerOf(3), undefined);
  equal(table.ownerOf(0), undefined);
  equal(table.ownerOf(99), undefined);
});

Deno.test("a revoked capability has drained with its last page, and is reported once", () => {
  const { table, drained, open } = makeGround();
  const account = open(1);
  account.pages.hold(3);
  table.release(account, 1);
  equal(account.pages.held, 2);
  table.close(account);
  table.release(account, 1);
  deepEqual(drained, []);
  table.release(account, 1);
  deepEqual(drained, [1]);
  const other = open(2);
  other.pages.hold(1);
  table.release(other, 1);
  deepEqual(drained, [1], "a live one does not drain");
});

Deno.test("a capability ends once: counted once, and its holder excused once", () => {
  const { table, holders, open } = makeGround();
  const [holder] = holders as [Holder];
  const account = open(1);
  account.countDelivered(60);
  for (let times = 0; times < 2; times++) table.close(account);
  const [ended] = table.endedCounts();
  deepEqual(
    [ended!.accounts, ended!.deliveredPackets, ended!.deliveredBytes],
    [1, 1, 60],
  );
  deepEqual(table.counts(), []);
  for (let i = 0; i < holder.limits.inFlightMax; i++) holder.strikeVoid();
  equal(holder.voids, 0);
  holder.strikeVoid();
  equal(holder.voids, 1);
});

Deno.test("observers are known as long as they live", () => {
  const { table, open } = makeGround();
  open(1);
  const observer = open(2, { rights: RIGHT_OBSERVE });
  deepEqual([...table.observers], [observer]);
  table.close(observer);
  deepEqual([...table.observers], []);
});

Deno.test("quotas are set of live capabilities, and others are passed over", () => {
  const { table, open } = makeGround();
  const [one, other] = [open(1), open(2)];
  table.close(other);
  table.setQuotas([1, 2, 9].map((slot) => ({ slot, quotaPages: 4 })));
  equal(one.pages.quota, 4);
  equal(other.pages.quota, 10);
  equal(table.entitlements.pages, 4);
});

Deno.test("a capability is opened under its ancestor's limit, and not at all once that was revoked", () => {
  const { table, open } = makeGround();
  const limited = open(1, { limit: { packetsPerSecond: 5 } });
  const child = open(2, { limitedBy: 1 });
  equal(child.meters, limited.meters);
  table.close(limited);
  equal(open(3, { limitedBy: 1 }), undefined);
  equal(table.tags.find(103, 7), 0);
  equal(open(4).meters, undefined);
});

Deno.test("a child's pages are had only while its parent holds no more than it has left", () => {
  const { open } = makeGround();
  const parent = open(1);
  const child = open(2, { parent: 1 });
  parent.pages.hold(10);
  equal(child.pages.mayHold(1), true);
  parent.pages.set(9);
  equal(child.pages.mayHold(1), false);
});

Deno.test("packets of a capability that is not opened are its parent's, and then its fallback's", () => {
  const { table, open } = makeGround();
  const [top, parent] = [open(1), open(2)];
  table.close(open(4));
  open(5, { limitedBy: 4, parent: 2 });
  equal(table.ownerOf(5), parent);
  table.revoke(5, 1);
  equal(table.ownerOf(5), top);
  // Somebody else's now.
  const next = open(5, { tagLow: 77 });
  equal(table.ownerOf(5), next);
  table.revoke(5, 0);
  equal(table.ownerOf(5), undefined);
  table.revoke(6, 1);
  equal(table.ownerOf(6), undefined, "nobody knows of it");
});

Deno.test("a holder that was terminated passes its packets on once its capability is revoked", () => {
  const { table, open } = makeGround();
  const [top, below] = [open(1), open(2)];
  table.close(below);
  equal(table.ownerOf(2), undefined);
  table.revoke(2, 1);
  equal(table.ownerOf(2), top);
  table.revoke(2, 9);
  equal(table.ownerOf(2), top, "the first fallback holds");
});

Deno.test("a tag is opened once", () => {
  const { open } = makeGround();
  open(1);
  throws(() => open(2, { tagLow: 101 }), /issued twice/);
});
