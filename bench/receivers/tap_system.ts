/**
 * `tap_system.ts IFNAME ADDRESS PORT [trusted]`: a whole system on a TAP, as
 * `sallyport up` starts it, with a TCP sink (tap/tcp_sink.ts) in the worker where
 * udp-echo would be, confined or trusted with packet memory. Counts the stream's
 * bytes.
 */

import { parseManifest } from "../../services/manifest/manifest.ts";
import { RunningSystem } from "../../services/system/running.ts";
import { PARTS } from "../../services/system/boot.ts";
import { tcpSink } from "../tap/tcp_sink.ts";
import { reportTo } from "./report.ts";

/** 96 super-packets of 17 pages each. */
const QUOTA_PAGES = 96 * 17;
const EXTENTS = 192;

const [interfaceName, address, port, trusted] = Deno.args;

const manifest = parseManifest({
  nic: `tap:${interfaceName}`,
  address: `${address}/24`,
  extents: EXTENTS,
  services: {
    arp: { core: "arp" },
    sink: {
      core: "udp-echo",
      port: Number(port),
      quotaPages: QUOTA_PAGES,
      trusted: trusted === "trusted",
    },
  },
});
const parts = {
  ...PARTS,
  services: {
    ...PARTS.services,
    "udp-echo": {
      ...PARTS.services["udp-echo"]!,
      worker: new URL("../tap/tcp_sink_worker.ts", import.meta.url),
      definition: tcpSink,
    },
  },
};
const system = new RunningSystem(manifest, parts, { confined: true });
await system.start();

await reportTo(async () => {
  const { services } = await system.snapshot();
  const sink = services.find(({ name }) => name === "sink");
  return sink?.counters["bytes"] ?? 0;
});
await system.stop();
Deno.exit(0);
