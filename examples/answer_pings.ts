// deno run examples/answer_pings.ts: it needs no permission at all.

/** Answers pings on an emulated wire, in this very thread, for three seconds. */

import { boot, defaultManifest } from "../mod.ts";

const system = await boot(
  defaultManifest({
    address: "10.77.0.2/24",
    services: {
      arp: { core: "arp" },
      ping: { core: "icmp-echo" },
    },
  }),
  { confined: false },
);

await new Promise((resolve) => setTimeout(resolve, 3000));

const { nic, peer, services } = await system.stop();
for (const { name, capabilities } of services) {
  for (const { filter, deliveredPackets, sentPackets } of capabilities) {
    console.log(
      `${name}: ${deliveredPackets} in, ${sentPackets} out: ${filter}`,
    );
  }
}
console.log(
  `${nic.address} answered ${peer?.["ping-answered"]} of ${
    peer?.["ping-sent"]
  } pings`,
);
