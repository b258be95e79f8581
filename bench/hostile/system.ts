/** A system with two services that behave, and one that behaves as it is told. */

import { parseManifest } from "../../services/manifest/manifest.ts";
import type { ServiceSettings } from "../../services/core/definition.ts";
import { PARTS } from "../../services/system/boot.ts";
import type { UdpEchoSettings } from "../../services/udp-echo/service.ts";
import type { Parts } from "../../services/system/parts.ts";
import { RunningSystem } from "../../services/system/running.ts";

/** How a service can behave. `idles` is what the others are measured beside. */
export const BEHAVIOURS = [
  "idles",
  "floods",
  "floods-garbage",
  "floods-requests",
  "keeps-pages",
  "never-reads",
  "spins",
  "allocates-heap",
  "allocates-buffers",
  "guesses",
] as const;

/** One of them. */
export type Behaviour = typeof BEHAVIOURS[number];

/** The name of the one that may mean ill. */
export const HOSTILE = "hostile";

/** The names of the others. */
export const VICTIMS = ["one", "two"] as const;

const PORTS = { one: 7001, two: 7002, [HOSTILE]: 7003 };

/** What comes to each of the three. */
export interface Load {
  /** Packets a second to each. */
  readonly perSecond: number;
  readonly payloadBytes: number;
}

/** A system on an emulated wire, not started. */
export function hostileSystem(
  behaviour: Behaviour,
  load: Load,
  onServiceFailed: (name: string, failure: string) => void = () => {},
): RunningSystem {
  const manifest = parseManifest({
    nic: "emulated",
    address: "10.77.0.2/24",
    services: {
      one: { core: "udp-echo", port: PORTS.one, quotaPages: 512 },
      two: { core: "udp-echo", port: PORTS.two, quotaPages: 512 },
      // Each packet in a page: there are some to be kept.
      [HOSTILE]: { core: "arp", copyBytesMax: 0, restart: "never" },
    },
  });
  const options = { confined: true, onServiceFailed };
  return new RunningSystem(manifest, partsWith(behaviour, load), options);
}

/** The usual parts, but for the peer, and for a worker where ARP would be: nothing asks for it here. */
function partsWith(behaviour: Behaviour, load: Load): Parts {
  const query = new URLSearchParams({
    ports: Object.values(PORTS).join(),
    intervalUs: String(1e6 / load.perSecond),
    payloadBytes: String(load.payloadBytes),
  });
  const echo = PARTS.services["udp-echo"]!;
  const withPort = (all: ServiceSettings): UdpEchoSettings => ({
    ...all,
    port: PORTS[HOSTILE],
  });
  const worker = new URL(`./worker.ts?${behaviour}`, import.meta.url);
  return {
    ...PARTS,
    peer: {
      ...PARTS.peer,
      worker: new URL(`./peer_worker.ts?${query}`, import.meta.url),
    },
    services: {
      ...PARTS.services,
      "arp": {
        ...echo,
        worker,
        definition: {
          ...echo.definition,
          receives: (all) => echo.definition.receives(withPort(all)),
          sends: (all) => echo.definition.sends(withPort(all)),
        },
      },
    },
  };
}
