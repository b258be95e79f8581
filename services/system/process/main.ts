import "../../runtime/confine.ts";
import { arpService } from "../../arp/service.ts";
import type { ServiceDefinition } from "../../core/definition.ts";
import { serveService } from "../../core/serve.ts";
import { icmpEchoService } from "../../icmp-echo/service.ts";
import type { CoreName } from "../../manifest/cores.ts";
import { standardStreams } from "../../runtime/process/standard_streams.ts";
import { udpEchoService } from "../../udp-echo/service.ts";

/**
 * Services alone, without what reads their manifests: a process has a copy of all
 * that is imported here. The compiler asks for each core.
 */
const SERVICES = {
  "arp": arpService,
  "icmp-echo": icmpEchoService,
  "udp-echo": udpEchoService,
} satisfies Readonly<Record<CoreName, unknown>>;

const core = standardStreams?.argument as CoreName;
serveService(SERVICES[core] as ServiceDefinition);
