import { deepEqual, equal } from "node:assert/strict";
import { Tally } from "../../../caps/driver/accounts.ts";
import type { Account } from "../../../drivers/service/account.ts";
import { EndedAccounts } from "../../../drivers/service/ended_accounts.ts";

/** Holders that are remembered at most. */
const HOLDERS_MAX = 1024;

/** What a holder's account counted: n, 2n, … */
function accountOf(port: number, n: number): Account {
  const drops = new Tally();
  drops.add("late", 5 * n);
  return {
    holder: { id: port },
    deliveredPackets: n,
    deliveredBytes: 2 * n,
    sentPackets: 3 * n,
    sentBytes: 4 * n,
    drops,
  } as unknown as Account;
}

Deno.test("what a holder's revoked capabilities counted is summed, for each by itself", () => {
  const ended = new EndedAccounts();
  for (const [port, n] of [[7, 1], [8, 10], [7, 100]] as const) {
    ended.add(accountOf(port, n));
  }
  const sumOf = (port: number, accounts: number, n: number) => ({
    port,
    accounts,
    deliveredPackets: n,
    deliveredBytes: 2 * n,
    sentPackets: 3 * n,
    sentBytes: 4 * n,
    drops: { late: 5 * n },
  });
  deepEqual(ended.counts(), [sumOf(7, 2, 101), sumOf(8, 1, 10)]);
});

Deno.test("sums of so many holders are kept, and then the first one is forgotten", () => {
  const ended = new EndedAccounts();
  for (let port = 1; port <= HOLDERS_MAX; port++) ended.add(accountOf(port, 1));
  ended.add(accountOf(1, 1));
  equal(ended.counts().length, HOLDERS_MAX);
  ended.add(accountOf(HOLDERS_MAX + 1, 1));
  const ports = ended.counts().map(({ port }) => port);
  equal(ports.length, HOLDERS_MAX);
  equal(ports[0], 2);
  equal(ports.at(-1), HOLDERS_MAX + 1);
});
