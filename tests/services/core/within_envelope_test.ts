/** A service whose wish and envelope do not meet is told so when it starts. */

import { match, rejects } from "node:assert/strict";
import { boot, defaultManifest, type ServiceFactory } from "../../../mod.ts";
import { refuseBeyondEnvelope } from "../../../services/core/within_envelope.ts";
import { grant } from "../../../services/filter/grant/text/grant_text.ts";

const ASKED = "ip and udp dst port 54";
const MAY = "ip and udp dst port 53";

/** Starts a service that asks for `receives` and `sends`, and may have `DNS`. */
async function start(receives: string, sends: string): Promise<void> {
  const module: ServiceFactory = ({ filter }) => ({
    receives: () => filter.grant(receives),
    sends: () => filter.grant(sends),
    make: () => ({
      receive: () => "handled",
      wake: () => {},
      wakeAt: Infinity,
      counters: () => ({}),
    }),
  });
  const services = {
    mine: { core: "module", path: "none", receives: MAY },
  } as const;
  const system = await boot(defaultManifest({ services }), {
    confined: false,
    modules: { mine: module },
  });
  await system.stop();
}

Deno.test("a service that asks for nothing that it may receive does not start, and is told both", async () => {
  await rejects(
    start(ASKED, "udp src port 53"),
    /^Error: service mine did not start: its receives\(\) asks for no frame of its envelope .*: change one of them; it asks for ip and udp dst port 54, the envelope is /,
  );
});

Deno.test("a service that would send nothing that it may does not start, and is told both", async () => {
  await rejects(
    start(MAY, "udp src port 54"),
    /^Error: service mine did not start: its sends\(\) asks for no frame of its envelope .*: change one of them; it asks for .*udp src port 54/,
  );
});

Deno.test("a service that asks for a part, for more, or for another conjunction besides starts", async () => {
  await start("udp dst port 53 and src host 10.77.0.1", "udp src port 53");
  await start("udp", "udp");
  await start("udp dst port 53 or udp dst port 54", "udp src port 53 or arp");
});

Deno.test("what is refused by a tag alone is told with the tag", () => {
  const untagged = { receives: grant(MAY), sends: grant(MAY) };
  const tagged = {
    receives: grant(`vlan 7 and ${MAY}`),
    sends: grant(`vlan 7 and ${MAY}`),
  };
  let said = "";
  try {
    refuseBeyondEnvelope(tagged, untagged);
  } catch (error) {
    said = (error as Error).message;
  }
  match(
    said,
    /asks for vlan 7 and ip and udp dst port 53, the envelope is ip and udp dst port 53$/,
  );
});
