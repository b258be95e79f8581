import assert from "node:assert/strict";
import { witness } from "../../arbitraries/witness.ts";
import { discard, echo } from "./plans.ts";
import { Rig } from "./rig.ts";

function receive(rig: Rig, times: number): number {
  const request = witness(echo.receives[0]!);
  for (let i = 0; i < times; i++) rig.far.send(request, 0, request.length);
  rig.turn();
  return request.length;
}

Deno.test("the driver tells what one capability counted, and of one that is over nothing", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }, discard]);
  const bytes = receive(rig, 6);
  const { heldPages, quotaPages, drops, ...counts } = rig.account(1)!;
  assert.deepEqual([heldPages, quotaPages], [4, 4]);
  assert.deepEqual(drops, { "no-page": 2 });
  assert.equal(counts.deliveredPackets, 4);
  assert.equal(counts.deliveredBytes, 4 * bytes);
  assert.equal(rig.account(2)!.deliveredPackets, 0);
  rig.revoke(1);
  assert.equal(rig.account(1), undefined);
});

for (const how of ["was revoked", "has gone", "was revoked and has gone"]) {
  Deno.test(`what a holder counted that ${how} is still known`, () => {
    using rig = new Rig([echo, discard]);
    const bytes = receive(rig, 3);
    if (how !== "has gone") rig.revoke(1);
    if (how !== "was revoked") rig.service.detach(1);
    const { accounts, endedAccounts } = rig.service.counts();
    assert.deepEqual(accounts.map(({ port }) => port), [2]);
    assert.deepEqual(endedAccounts, [{
      port: 1,
      accounts: 1,
      deliveredPackets: 3,
      deliveredBytes: 3 * bytes,
      sentPackets: 0,
      sentBytes: 0,
      drops: {},
    }]);
  });
}
