// deno run examples/ask_and_send.ts: it needs no permission at all.

/** Runs allowed_sender.ts beside a service that it may ask, on a simulated wire. */

import { arpService, describeFrame, type ServiceDefinition } from "../mod.ts";
import { Neighbour, simulate } from "../tests/testing.ts";
import { allowances, sender } from "./allowed_sender.ts";

/** Answers for the host's addresses, and lets every stranger have 7,000 bytes once. */
const arp: ServiceDefinition = {
  ...arpService,
  make(settings, ports) {
    const known = new Set<bigint>();
    ports.answer(allowances, {
      onRequest({ request: stranger }) {
        const isNew = !known.has(stranger.value);
        known.add(stranger.value);
        return isNew ? 7000 : 0;
      },
    });
    return arpService.make(settings, ports);
  },
};

using world = simulate({
  services: { arp, sender: { ...sender, ports: { allowance: "arp" } } },
});
for (const inMs of [1, 2]) {
  world.send(new Neighbour().datagram(9, new Uint8Array(1)), inMs);
}
await world.run({ forMs: 10 });
world.check();
for (const { bytes } of world.sent("host")) {
  console.log(describeFrame(bytes, 0, bytes.length));
}
