/**
 * `system.ts IFNAME ADDRESS PORT MAC [process|driver|trusted|spin|busy-poll]`: a
 * whole system, as `sallyport up` starts it: the driver service, the filter service,
 * and udp-echo in its confined worker, or as the last word says: in a process, in the
 * driver's own thread, in a worker that is trusted with packet memory, with threads
 * that spin, with a NIC that is polled. Datagrams from
 * and to one port are not echoed (they could go round for ever): they are
 * received, checked by the core, given back, and counted with those that are.
 */

import { parseManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import { reportTo } from "./report.ts";

const [interfaceName, address, port, mac, option] = Deno.args;
/** Packets that a call polls from the interface, where busy polling is asked for. */
const BUSY_POLL = 64;

const system = await boot(
  parseManifest({
    nic: `xdp:${interfaceName}`,
    address: `${address}/24`,
    mac,
    spin: option === "spin",
    ...(option === "busy-poll" ? { busyPoll: BUSY_POLL } : {}),
    services: {
      echo: {
        core: "udp-echo",
        port: Number(port),
        trusted: option === "trusted",
        ...(option === "process" || option === "driver"
          ? { place: option }
          : {}),
      },
    },
  }),
  { confined: true },
);

await reportTo(async () => {
  const [echo] = (await system.snapshot()).services;
  const { echoed = 0, "drop:echo-loop": kept = 0 } = echo?.counters ?? {};
  return echoed + kept;
});
await system.stop();
Deno.exit(0);
