/**
 * `system.ts IFNAME ADDRESS PORT MAC`: a whole system, as `sallyport up` starts
 * it: the driver service, the filter service, and udp-echo in its confined
 * worker. Datagrams from and to one port are not echoed (they could go round for
 * ever), so what this counts is received, checked by the core, and given back.
 */

import { parseManifest } from "../../services/manifest.ts";
import { boot } from "../../services/system.ts";
import { reportTo } from "./report.ts";

const [interfaceName, address, port, mac] = Deno.args;

const system = await boot(
  parseManifest({
    nic: `xdp:${interfaceName}`,
    address: `${address}/24`,
    mac,
    services: { echo: { core: "udp-echo", port: Number(port) } },
  }),
  { confined: true },
);

await reportTo(async () => {
  const { services } = await system.snapshot();
  return services[0]?.counters["drop:echo-loop"] ?? 0;
});
await system.stop();
Deno.exit(0);
