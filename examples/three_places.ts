// deno run --allow-read --allow-run examples/three_places.ts [worker|process|driver]

/**
 * Answers pings on an emulated wire for two seconds, with one and the same service
 * in a confined worker, in a process of its own, or in the driver's own thread.
 */

import { boot, defaultManifest, type ServicePlace } from "../mod.ts";

const [place = "worker"] = Deno.args as ServicePlace[];

const system = await boot(
  defaultManifest({
    address: "10.77.0.2/24",
    services: {
      arp: { core: "arp" },
      // The one word that chooses.
      ping: { core: "icmp-echo", place },
    },
  }),
  { confined: true },
);

await new Promise((resolve) => setTimeout(resolve, 2000));

console.log(await system.picture());
const { peer, services } = await system.stop();
const ping = services.find(({ name }) => name === "ping");
console.log(
  `in place ${ping?.place}: answered ${peer?.["ping-answered"]} of ${
    peer?.["ping-sent"]
  } pings`,
);
