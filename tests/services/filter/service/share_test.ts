/** What a holder is told that takes all the capabilities that it can. */

import assert from "node:assert/strict";
import { RIGHT_DERIVE } from "../../../../caps/kernel/rights.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { Rig } from "./service_rig.ts";

const udp = (port: number) => ipv4().udp().dstPort(port).grant;

Deno.test("who derives without end is told how much others have left, and they are served", async () => {
  using rig = new Rig();
  const asked = { grant: [{}], rights: RIGHT_DERIVE, quotaPages: 0 };
  const hold = (to: number, port: number) =>
    rig.clients[0]!.derive({
      ...asked,
      from: rig.root,
      grant: udp(port),
      to,
    });
  const [mine, theirs] = [await hold(1, 7), await hold(2, 8)];
  let made = 0;
  const exhaust = async () => {
    for (;; made++) {
      const grant = udp(1000 + made);
      await rig.clients[1]!.derive({ ...asked, from: mine, grant });
    }
  };
  await assert.rejects(exhaust(), {
    refused: "share",
    message: "you have made 49 capabilities, and 48 are left for all others, " +
      "which is as much as one holder may have; drop some first",
  });
  assert.equal(made, 49);
  await rig.clients[2]!.derive({ ...asked, from: theirs });
  await rig.clients[0]!.derive({ ...asked, from: rig.root, grant: udp(9) });
  assert.deepEqual(rig.cutOff, []);
});
