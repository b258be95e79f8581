/**
 * The manifest: which NIC a system runs on, under which address, and which
 * services are connected to it. Checked at the edge, once; what comes out is
 * plain data that can be posted to a worker.
 */

import { z } from "zod";
import {
  EXTENT_PAGES,
  FRAMES_MAX,
  lendableFrames,
} from "../../caps/memory/memory.ts";
import { interposerFieldsAt, logsWrong } from "./interposer.ts";
import {
  type InterfaceAddress,
  macFor,
  readInterfaceAddress,
  readMac,
} from "./interface_address.ts";
import {
  describeIssues,
  ManifestError,
  SERVICE_NAME_EXPECTED,
  showValue,
} from "./error.ts";
import {
  asked,
  type Complain,
  oneOf,
  pathOfFile,
  readText,
  wholeNumber,
} from "./field.ts";
import { checkNic } from "./nic_rules.ts";
import {
  formatNic,
  hasSuperPackets,
  isBesideKernel,
  NIC_FORMS,
  type NicChoice,
  readNic,
} from "./nic.ts";
import {
  SERVICE_FIELDS,
  type ServiceManifest,
  type ServiceManifestInput,
  serviceSchema,
} from "./service.ts";
import { formatMac } from "../wire/address.ts";

export { ManifestError } from "./error.ts";
export type { ManifestProblem } from "./error.ts";
export {
  CORE_NAMES,
  type ModuleManifest,
  type RestartPolicy,
  type ServiceManifest,
  type ServiceManifestInput,
} from "./service.ts";
export type { NicChoice } from "./nic.ts";
export type { InterfaceAddress } from "./interface_address.ts";

/** The most services of one system. */
export const SERVICES_MAX = 64;

/** A system, checked and with its defaults filled in. */
export interface Manifest {
  /** What the packets come from. */
  readonly nic: NicChoice;
  /** The address that the system answers on. */
  readonly address: InterfaceAddress;
  /** Its Ethernet address: six bytes. */
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
   * Whether an interface that is gone is waited for. Without it the system is at
   * an end then.
   */
  readonly recover?: boolean;
  /** Packets that looking for some takes from an interface itself, in place of its interrupts. */
  readonly busyPoll?: number;
  /** Whether threads look for work for up to a millisecond before they sleep. */
  readonly spin: boolean;
  /** What the emulated peer's choices come from. */
  readonly seed: number;
  /** By name. */
  readonly services: Readonly<Record<string, ServiceManifest>>;
}

/** A manifest as it is written (JSON). */
export interface ManifestInput {
  /** `emulated`, `wire:NAME`, `xdp:IFNAME`, `packet:IFNAME`, `tap:NAME`, `tun:NAME`, `pcap:FILE` or `udp:LOCAL,PEER,key=FILE`. */
  readonly nic: string;
  /** `10.77.0.2/24`. */
  readonly address: string;
  /** `02:53:0a:4d:00:02`; made of the address unless told. */
  readonly mac?: string | undefined;
  /** `kernel` on `xdp:` and `packet:`, and `drop` elsewhere, unless told. */
  readonly unclaimed?: "kernel" | "drop" | undefined;
  /** 64 to 262144; 4096 unless told. */
  readonly frames?: number | undefined;
  /** 0 to 8192; 64 on `tap:` and `tun:`, 0 elsewhere, unless told. */
  readonly extents?: number | undefined;
  /** `recorded` unless told. */
  readonly pace?: "at-once" | "recorded" | undefined;
  /** For `xdp:` and `packet:` only: whether an interface that is gone is waited for; false unless told. */
  readonly recover?: boolean | undefined;
  /** For `xdp:` only: 1 to 65535 packets that a call polls from the NIC; none unless told. */
  readonly busyPoll?: number | undefined;
  /**
   * Whether threads look for work for up to a millisecond before they sleep, where
   * some came soon of late; false unless told. An answer comes sooner where each
   * thread has a processor of its own, and much later where two share one.
   */
  readonly spin?: boolean | undefined;
  /** The path of a capture to write. */
  readonly write?: string | undefined;
  /** 0 to 4294967295; 1 unless told. */
  readonly seed?: number | undefined;
  /** By name: lower-case letters, digits and dashes; 1 to 64 services. */
  readonly services: Readonly<Record<string, ServiceManifestInput>>;
}

const FRAMES_MIN = 64;
const EXTENTS_MAX = 8192;
const EXTENTS_DEFAULT = 64;
const NAME_LENGTH_MAX = 32;

const serviceName = z.string().max(NAME_LENGTH_MAX).regex(
  /^[a-z0-9][a-z0-9-]*$/,
);

const fields = z.strictObject({
  nic: readText(
    `the name of a NIC (${NIC_FORMS})`,
    readNic,
  ),
  address: readText(
    "an IPv4 address with a prefix, such as 10.77.0.2/24",
    readInterfaceAddress,
  ),
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
  services: z.record(
    serviceName,
    serviceSchema,
    asked('an object of services by name, such as {"arp": {"core": "arp"}}'),
  ),
}, asked("an object with the manifest's fields"));

/** Checks a manifest as it is written and fills in its defaults. */
export const manifestSchema: z.ZodType<Manifest, ManifestInput> = fields
  .superRefine((manifest, context) => {
    const complain = (path: string[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    checkServices(manifest.services, complain);
    checkWatched(manifest.services, complain);
    checkMemory(manifest, complain);
    checkQuotas(manifest, complain);
    checkNic(manifest, complain);
    for (const { path, problem } of logsWrong(manifest)) {
      complain(["services", ...path], problem);
    }
  })
  .transform((
    { mac, unclaimed, extents, write, recover, busyPoll, ...manifest },
  ): Manifest => ({
    ...manifest,
    extents: extentsOf({ nic: manifest.nic, extents }),
    mac: mac ?? macFor(manifest.address.address),
    unclaimed: unclaimed ??
      (isBesideKernel(manifest.nic) ? "kernel" : "drop"),
    ...(write === undefined ? {} : { write }),
    ...(recover === undefined ? {} : { recover }),
    ...(busyPoll === undefined ? {} : { busyPoll }),
  }));

/** No two services may want the same packets: siblings' grants never overlap. */
function checkServices(
  services: Manifest["services"],
  complain: Complain,
): void {
  const names = Object.keys(services);
  if (names.length === 0) {
    complain(["services"], "expected at least one service, got none");
  }
  if (names.length > SERVICES_MAX) {
    complain(
      ["services"],
      `expected at most ${SERVICES_MAX} services, got ${names.length}`,
    );
  }
  const holders = new Map<string, string>();
  for (const [name, { core, ...rest }] of Object.entries(services)) {
    if (core === "module") continue; // their overlap is found when they are granted
    const port = "port" in rest ? ` on port ${rest.port}` : "";
    const holder = holders.get(core + port);
    if (holder === undefined) {
      holders.set(core + port, name);
      continue;
    }
    complain(
      ["services", name, port === "" ? "core" : "port"],
      `expected packets that no other service has; "${holder}" is ${core}${port} already`,
    );
  }
}

/** A service watches others, which there must be. */
function checkWatched(
  services: Manifest["services"],
  complain: Complain,
): void {
  for (const [name, { watch = [] }] of Object.entries(services)) {
    for (const watched of watch) {
      if (watched !== name && Object.hasOwn(services, watched)) continue;
      complain(
        ["services", name, "watch"],
        `expected names of other services, got ${showValue(watched)}`,
      );
    }
  }
}

interface MemoryFields {
  readonly nic: NicChoice;
  readonly extents?: number | undefined;
}

/** Those that were asked for, or as many as its NIC wants. */
function extentsOf({ nic, extents }: MemoryFields): number {
  return extents ?? (hasSuperPackets(nic) ? EXTENTS_DEFAULT : 0);
}

/** Frames and extents are one memory, which has a size. */
function checkMemory(
  fields: MemoryFields & Pick<Manifest, "frames">,
  complain: Complain,
): void {
  const { frames } = fields;
  const extents = extentsOf(fields);
  const most = Math.floor((FRAMES_MAX - frames) / EXTENT_PAGES);
  if (extents <= most) return;
  complain(
    ["extents"],
    `expected at most ${most} beside ${frames} frames, got ${extents}`,
  );
}

function checkQuotas(
  manifest: Pick<Manifest, "frames" | "services">,
  complain: Complain,
): void {
  const lendable = lendableFrames(manifest.frames);
  const asked = Object.values(manifest.services)
    .reduce((sum, { quotaPages }) => sum + quotaPages, 0);
  if (asked > lendable) {
    complain(
      ["services"],
      `expected quotas of at most ${lendable} pages in all (three quarters of ${manifest.frames} frames), got ${asked}`,
    );
  }
}

const MANIFEST_FIELDS = Object.keys(fields.shape);

/**
 * Checks a manifest as it is written (parsed JSON) and fills in its defaults.
 *
 * @throws {ManifestError} whose message has one line for each field that is
 * wrong: where it is, what was expected, what was there.
 */
export function parseManifest(value: unknown): Manifest {
  const result = manifestSchema.safeParse(value);
  const problems = result.success ? [] : describeIssues(
    result.error.issues,
    (path) =>
      path.length === 0
        ? MANIFEST_FIELDS
        : path[2] === "interpose"
        ? interposerFieldsAt(path.slice(3))
        : SERVICE_FIELDS,
  );
  if (hasServiceProto(value)) {
    // zod passes over this key, for safety; a service must not go unsaid.
    problems.push({
      path: ["services", "__proto__"],
      message: SERVICE_NAME_EXPECTED,
    });
  }
  if (problems.length > 0) throw new ManifestError(problems);
  return result.data!;
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
export function formatManifest(manifest: Manifest): ManifestInput {
  return {
    ...manifest,
    nic: formatNic(manifest.nic),
    address: manifest.address.text,
    mac: formatMac(manifest.mac),
  };
}
