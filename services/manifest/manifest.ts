/**
 * The manifest: which NIC a system runs on, under which address, and which
 * services are connected to it. Checked at the edge, once; what comes out is
 * plain data that can be posted to a worker.
 */

import { z } from "zod";
import { given } from "../../caps/kernel/given.ts";
import { FRAMES_MAX } from "../../caps/memory/memory.ts";
import type { Protocol } from "../core/protocol.ts";
import {
  asked,
  oneOf,
  pathOfFile,
  readText,
  wholeNumber,
} from "../fields/field.ts";
import { formatMac } from "../wire/address.ts";
import { CORES } from "./cores.ts";
import {
  describeIssues,
  ManifestError,
  SERVICE_NAME_EXPECTED,
} from "./error.ts";
import { addresses, formatAddresses } from "./addresses.ts";
import {
  firstIpv4,
  type InterfaceAddress,
  macFor,
  readMac,
} from "./interface_address.ts";
import { formatIpPrefix, type IpPrefix } from "../wire/ip_address.ts";
import { interposerFieldsAt, logsWrong } from "./interposer.ts";
import { checkMemory, extentsOf } from "./memory_rules.ts";
import { checkQuotas, fillQuotas } from "./quotas.ts";
import { type NicChoice, NICS, type NicTable } from "./nic/nics.ts";
import { checkNic } from "./nic/rules.ts";
import {
  serviceFieldsOf,
  type ServiceManifest,
  type ServiceManifestInput,
  serviceSchemaOf,
} from "./service.ts";
import { fillPrefixes } from "./service_addresses.ts";
import { checkServices } from "./service_rules.ts";

export { ManifestError } from "./error.ts";
export type { ManifestProblem } from "./error.ts";
export {
  CORE_NAMES,
  type CoreManifest,
  type CoreManifestInput,
  type CoreName,
  CORES,
} from "./cores.ts";
export {
  type ModuleManifest,
  type ModuleManifestInput,
  type RestartPolicy,
  type ServiceHolding,
  type ServiceHoldingInput,
  type ServiceManifest,
  type ServiceManifestInput,
} from "./service.ts";
export { PLACES, type ServicePlace } from "./place.ts";
export type { NicChoice } from "./nic/nics.ts";
export type { InterfaceAddress } from "./interface_address.ts";

/** A system, checked and with its defaults filled in. */
export interface Manifest {
  /** What the packets come from. */
  readonly nic: NicChoice;
  /** The first IPv4 address that the system answers on. */
  readonly address: InterfaceAddress;
  /** All addresses that it answers on, IPv4 and IPv6, as they were written. */
  readonly addresses: readonly IpPrefix[];
  /** The system's Ethernet address: six bytes. */
  readonly mac: Uint8Array;
  /** What becomes of packets that nobody holds a capability for. */
  readonly unclaimed: "kernel" | "drop";
  /** Frames of packet memory. */
  readonly frames: number;
  /** Extents of packet memory besides, for packets that are larger than a page. */
  readonly extents: number;
  /** How a capture is replayed, and the emulated peer paced. */
  readonly pace: "at-once" | "recorded";
  /** Where to capture what crosses the NIC. */
  readonly write?: string;
  /**
   * Whether an interface that was removed is waited for. Without it the system
   * ends then.
   */
  readonly recover?: boolean;
  /** Packets that one look into the rings polls from the interface, in place of its interrupts. */
  readonly busyPoll?: number;
  /** Whether threads look for work for up to a millisecond before they sleep. */
  readonly spin: boolean;
  /** The seed of the emulated peer's choices, and of a wire's faults. */
  readonly seed: number;
  /** By name. */
  readonly services: Readonly<Record<string, ServiceManifest>>;
}

/** A manifest as it is written (JSON). */
export interface ManifestInput {
  /** `emulated`, `wire:NAME`, `xdp:IFNAME`, `packet:IFNAME`, `tap:NAME`, `tun:NAME`, `pcap:FILE` or `udp:LOCAL,PEER,key=FILE`. */
  readonly nic: string;
  /** `10.77.0.2/24`, or up to 16 of IPv4 and IPv6: `["10.77.0.2/24", "fd00::2/64"]`. */
  readonly address: string | readonly string[];
  /** `02:53:0a:4d:00:02`; made of the address by default. */
  readonly mac?: string | undefined;
  /** `kernel` on `xdp:` and `packet:`, and `drop` elsewhere, by default. */
  readonly unclaimed?: "kernel" | "drop" | undefined;
  /** 64 to 262144; 4096 by default. */
  readonly frames?: number | undefined;
  /** 0 to 8192; 64 on `tap:` and `tun:`, 16 elsewhere, by default. */
  readonly extents?: number | undefined;
  /** `recorded` by default. */
  readonly pace?: "at-once" | "recorded" | undefined;
  /** For `xdp:` and `packet:` only: whether an interface that was removed is waited for; false by default. */
  readonly recover?: boolean | undefined;
  /** For `xdp:` only: 1 to 65535 packets that one look into the rings polls from the NIC; none by default. */
  readonly busyPoll?: number | undefined;
  /**
   * Whether threads look for work for up to a millisecond before they sleep, where
   * some came soon before; false by default. An answer comes sooner where each
   * thread has a processor of its own, and much later where two share one.
   */
  readonly spin?: boolean | undefined;
  /** The path of a capture to write. */
  readonly write?: string | undefined;
  /** 0 to 4294967295; 1 by default. */
  readonly seed?: number | undefined;
  /** By name: lower-case letters, digits and dashes; 1 to 64 services. */
  readonly services: Readonly<Record<string, ServiceManifestInput>>;
}

const FRAMES_MIN = 64;
const EXTENTS_MAX = 8192;
const NAME_LENGTH_MAX = 32;

const serviceName = z.string().max(NAME_LENGTH_MAX).regex(
  /^[a-z0-9][a-z0-9-]*$/,
);

/** How each field is read but the NIC and the services. */
const FIELDS = {
  address: addresses,
  mac: readText("an Ethernet address, such as 02:53:0a:4d:00:02", readMac)
    .optional(),
  unclaimed: oneOf("kernel", "drop").optional(),
  frames: wholeNumber(FRAMES_MIN, FRAMES_MAX).default(4096),
  extents: wholeNumber(0, EXTENTS_MAX).optional(),
  pace: oneOf("at-once", "recorded").default("recorded"),
  write: pathOfFile.optional(),
  recover: z.boolean(asked("true or false")).optional(),
  busyPoll: wholeNumber(1, 65535).optional(),
  spin: z.boolean(asked("true or false")).default(false),
  seed: wholeNumber(0, 0xffffffff).default(1),
};

/** What a manifest can name. */
export interface ManifestLists {
  /** The protocols that a service can run. */
  readonly cores: readonly Protocol[];
  /** The kinds of NIC. */
  readonly nics: NicTable;
}

/** Checks a manifest as it is written and fills in its defaults. */
function manifestSchemaOf(
  { cores, nics }: ManifestLists,
): z.ZodType<Manifest, ManifestInput> {
  const nic = readText(
    `the name of a NIC (${nics.forms})`,
    (text) => nics.read(text),
  );
  const services = z.record(
    serviceName,
    serviceSchemaOf(cores),
    asked('an object of services by name, such as {"arp": {"core": "arp"}}'),
  );
  const fields = { nic, ...FIELDS, services };
  const needsOf = (nic: NicChoice) => ({ cores, nic: nics.kindOf(nic) });
  return z.strictObject(fields, asked("an object with the manifest's fields"))
    .transform((manifest) => ({
      ...manifest,
      services: fillQuotas(
        fillPrefixes(manifest.services, manifest.address),
        needsOf(manifest.nic),
      ),
    }))
    .superRefine((manifest, context) => {
      const complain = (path: string[], message: string) =>
        context.addIssue({ code: "custom", path, message });
      checkServices(manifest, cores, complain);
      const kind = nics.kindOf(manifest.nic);
      const extents = extentsOf(kind, manifest);
      checkMemory({ ...manifest, extents }, complain);
      checkQuotas(manifest, needsOf(manifest.nic), complain);
      checkNic(manifest, nics, complain);
      for (const { path, problem } of logsWrong(manifest)) {
        complain(["services", ...path], problem);
      }
    })
    .transform((
      {
        address: addresses,
        mac,
        unclaimed,
        extents,
        write,
        recover,
        busyPoll,
        ...manifest
      },
    ): Manifest => ({
      ...manifest,
      address: firstIpv4(addresses),
      addresses,
      extents: extentsOf(nics.kindOf(manifest.nic), {
        frames: manifest.frames,
        extents,
      }),
      mac: mac ?? macFor(firstIpv4(addresses).address),
      unclaimed: unclaimed ??
        (nics.kindOf(manifest.nic).kernel === undefined ? "drop" : "kernel"),
      ...given({ write, recover, busyPoll }),
    }));
}

/** Makes {@link parseManifest} for manifests that can name what is in `lists`. */
export function makeManifestReader(
  lists: ManifestLists,
): (value: unknown) => Manifest {
  const schema = manifestSchemaOf(lists);
  const manifestFields = ["nic", ...Object.keys(FIELDS), "services"];
  const serviceFields = serviceFieldsOf(lists.cores);
  const fieldsAt = (path: readonly string[]) =>
    path.length === 0
      ? manifestFields
      : path[2] === "interpose"
      ? interposerFieldsAt(path.slice(3))
      : serviceFields;
  return (value) => {
    const result = schema.safeParse(value);
    const problems = result.success
      ? []
      : describeIssues(result.error.issues, fieldsAt);
    if (hasServiceProto(value)) {
      // zod passes over this key, for safety; a service must not go unsaid.
      problems.push({
        path: ["services", "__proto__"],
        message: SERVICE_NAME_EXPECTED,
      });
    }
    if (problems.length > 0) throw new ManifestError(problems);
    return result.data!;
  };
}

const readManifest = makeManifestReader({ cores: CORES, nics: NICS });

/**
 * Checks a manifest as it is written (parsed JSON) and fills in its defaults.
 *
 * @throws {ManifestError} whose message has one line for each field that is
 * wrong: where it is, what was expected, what was there.
 */
export function parseManifest(value: unknown): Manifest {
  return readManifest(value);
}

function hasServiceProto(value: unknown): boolean {
  const services = (value as Partial<ManifestInput> | null | undefined)
    ?.services;
  return typeof services === "object" && services !== null &&
    Object.hasOwn(services, "__proto__");
}

/**
 * The manifest that runs anywhere: the emulated NIC, 10.77.0.2/24, and the
 * services arp, icmp-echo and udp-echo (port 7), with `overrides` in place.
 *
 * @throws {ManifestError} when an override is wrong.
 */
export function defaultManifest(
  overrides: Partial<ManifestInput> = {},
): Manifest {
  return parseManifest({ ...DEFAULT_MANIFEST, ...overrides });
}

/** {@link defaultManifest}, as it would be written. */
export const DEFAULT_MANIFEST: ManifestInput = {
  nic: "emulated",
  address: "10.77.0.2/24",
  services: {
    arp: { core: "arp" },
    "icmp-echo": { core: "icmp-echo" },
    "udp-echo": { core: "udp-echo", port: 7 },
  },
};

/** Writes a manifest as {@link parseManifest} reads it, defaults included. */
export function formatManifest(
  { addresses, services, ...manifest }: Manifest,
): ManifestInput {
  const written = Object.entries(services).map(([name, service]) => {
    const { addresses, ...rest } = service;
    const own = addresses?.map(formatIpPrefix);
    return [name, { ...rest, ...given({ addresses: own }) }] as const;
  });
  return {
    ...manifest,
    nic: NICS.format(manifest.nic),
    address: formatAddresses(addresses),
    mac: formatMac(manifest.mac),
    services: Object.fromEntries(written),
  };
}
