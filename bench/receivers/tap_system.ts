/**
 * `tap_system.ts IFNAME ADDRESS PORT sink|source [trusted|process]`: a whole system on a
 * TAP, as `sallyport up` starts it, with one end of a TCP stream (tap/tcp_sink.ts,
 * tap/tcp_source.ts) in the worker where udp-echo would be, confined or trusted
 * with packet memory, or in a process. Counts the stream's bytes.
 */

import { parseManifest } from "../../services/manifest/manifest.ts";
import { RunningSystem } from "../../services/system/running.ts";
import { PARTS } from "../../services/system/boot.ts";
import { tcpSink } from "../tap/tcp_sink.ts";
import { tcpSource } from "../tap/tcp_source.ts";
import { reportTo } from "./report.ts";

/** 96 super-packets of 17 pages each. */
const QUOTA_PAGES = 96 * 17;
const EXTENTS = 192;

const [interfaceName, address, port, end, option] = Deno.args;

const sink = {
  worker: new URL("../tap/tcp_sink_worker.ts", import.meta.url),
  definition: tcpSink,
};
const source = {
  worker: new URL("../tap/tcp_source_worker.ts", import.meta.url),
  definition: tcpSource,
};

const stream = end === "source" ? source : sink;

const manifest = parseManifest({
  nic: `tap:${interfaceName}`,
  address: `${address}/24`,
  extents: EXTENTS,
  services: {
    arp: { core: "arp" },
    stream: {
      core: "udp-echo",
      port: Number(port),
      quotaPages: QUOTA_PAGES,
      trusted: option === "trusted",
      ...(option === "process" ? { place: option } : {}),
    },
  },
});
const parts = {
  ...PARTS,
  services: {
    ...PARTS.services,
    "udp-echo": {
      ...PARTS.services["udp-echo"]!,
      ...stream,
      process: { module: stream.worker, argument: "" },
    },
  },
};
const system = new RunningSystem(manifest, parts, { confined: true });
await system.start();

await reportTo(async () => {
  const { services } = await system.snapshot();
  const stream = services.find(({ name }) => name === "stream");
  return stream?.counters["bytes"] ?? 0;
});
await system.stop();
Deno.exit(0);
