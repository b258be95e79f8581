/** A service of a manifest. */

import { z } from "zod";
import { given } from "../../caps/kernel/given.ts";
import { COPY_BYTES_MAX_DEFAULT } from "../../caps/kernel/kernel.ts";
import { FRAMES_MAX, PAGE_BYTES } from "../../caps/memory/memory.ts";
import type { RateLimit } from "../../caps/kernel/rate_limit.ts";
import { grant } from "../filter/grant/text/grant_text.ts";
import { type InterposerSpec, interposerSpecs } from "./interposer.ts";
import { showValue } from "../fields/show_value.ts";
import {
  asked,
  oneOf,
  pathOfFile,
  quoted,
  wholeNumber,
} from "../fields/field.ts";
import type { IpPrefix } from "../wire/ip_address.ts";
import type { Protocol } from "../core/protocol.ts";
import type { CoreManifest, CoreManifestInput } from "./cores.ts";
import {
  PLACE_DEFAULT,
  placeProblem,
  PLACES,
  type ServicePlace,
} from "./place.ts";
import { portsSchema } from "./ports.ts";
import { type RateLimitInput, rateLimitSchema } from "./rate_limit.ts";
import { type NamedAddress, namedAddresses } from "./addresses.ts";

/** The most services that one may watch. */
const WATCHED_MAX = 64;

/** The last VLAN: 4095 is kept by IEEE 802.1Q, and 0 says that there is none. */
const VLAN_MAX = 4094;

/** Restarts of a service within a minute, by default. */
const RESTARTS_DEFAULT = 5;

/** Whether a service that failed is started again; a number is the most restarts within a minute. */
export type RestartPolicy = "always" | "never" | number;

/** A service: what it runs, and what its capability may hold. */
export type ServiceManifest = ServiceHolding & (CoreManifest | ModuleManifest);

/** What every service has, whatever it runs. */
export interface ServiceHolding {
  /** The most pages that it may hold at once. */
  readonly quotaPages: number;
  /** Packets up to this many bytes are copied to it; for larger ones a page is swapped. */
  readonly copyBytesMax: number;
  /** Where it runs. */
  readonly place: ServicePlace;
  /** Whether it is trusted with packet memory itself: in a worker it gets descriptors. */
  readonly trusted?: boolean | undefined;
  /** What becomes of it when it fails. */
  readonly restart: RestartPolicy;
  /** Other services, by name: its core is told when they fail and run again. */
  readonly watch?: readonly string[] | undefined;
  /** Services that it may ask, by the names of its ports. */
  readonly ports?: Readonly<Record<string, string>> | undefined;
  /** What its packets pass unseen by it, the nearest to the driver first. */
  readonly interpose?: readonly InterposerSpec[] | undefined;
  /** How much comes and goes in a second, each way; absent for no limit. */
  readonly limit?: RateLimit | undefined;
  /** VLAN of the service, 1 to 4094; absent for none. */
  readonly vlan?: number | undefined;
  /** Some of the system's addresses, which alone it answers on; absent for all. */
  readonly addresses?: readonly IpPrefix[] | undefined;
}

/** A third party's service: its module, and what that may have at most. */
export interface ModuleManifest {
  /** No core of ours. */
  readonly core: "module";
  /** Where its file is; a `file:` URL is one too. */
  readonly path: string;
  /** The packets that it may receive, as a grant's text. */
  readonly receives: string;
  /** The packets that it may send; answers to what it receives by default. */
  readonly sends?: string;
}

/** A service as it is written in a manifest. */
export type ServiceManifestInput =
  & ServiceHoldingInput
  & (CoreManifestInput | ModuleManifestInput);

/** {@link ModuleManifest} as a person writes it. */
export interface ModuleManifestInput {
  /** A service of a third party's, in a file. */
  readonly core: "module";
  /** The module's file. */
  readonly path: string;
  /** The packets that it may receive at most, such as `udp dst port 53`. */
  readonly receives: string;
  /**
   * The packets that it may send at most; answers from the system's own addresses
   * to what it may receive by default.
   */
  readonly sends?: string | undefined;
}

/** {@link ServiceHolding} as a person writes it. */
export interface ServiceHoldingInput {
  /** 1 to the number of frames; 64 by default, or as many as its settings need. */
  readonly quotaPages?: number | undefined;
  /** 0 (a page is swapped for each packet) to 4096 (each is copied); 2048 by default. */
  readonly copyBytesMax?: number | undefined;
  /**
   * `worker`, a confined worker of its own, or `driver`, the driver's own thread:
   * packets come without a copy and without a message there, and a service that does
   * not return stops the NIC. `worker` by default.
   */
  readonly place?: ServicePlace | undefined;
  /** Whether it is trusted with packet memory itself, which a module in the driver's thread must be; false by default. */
  readonly trusted?: boolean | undefined;
  /** `always`, `never`, or restarts within a minute (0 to 60); 5 by default. */
  readonly restart?: RestartPolicy | undefined;
  /** Names of other services: its core is told when they fail and run again; none by default. */
  readonly watch?: readonly string[] | undefined;
  /** `{"resolver": "arp"}`: services that it may ask, by the names of its ports; none by default. */
  readonly ports?: Readonly<Record<string, string>> | undefined;
  /** What its packets pass unseen by it, the nearest to the driver first; up to 16. */
  readonly interpose?: readonly InterposerSpec[] | undefined;
  /** `{"packetsPerSecond": 1000}`, `{"bytesPerSecond": 1e6}` or both, each way; no limit by default. */
  readonly limit?: RateLimitInput | undefined;
  /** VLAN of the service, 1 to 4094; none by default: frames without a tag, or with one of VLAN 0. */
  readonly vlan?: number | undefined;
  /**
   * Some of the system's addresses, which alone it answers on, one of IPv4 among them, each
   * with its prefix or without: `["10.77.0.2", "fd00::2"]`. All of them by default.
   */
  readonly addresses?: readonly string[] | undefined;
}

/** The text of a grant, checked and kept as it was written. */
const grantText = z.string(asked("a filter text such as udp dst port 53"))
  .superRefine((text, context) => {
    try {
      grant(text);
    } catch (error) {
      context.addIssue(
        `expected a filter text that a capability can stand for: ${
          (error as Error).message.split("\n")[0]
        }`,
      );
    }
  });

const holding = {
  // The default depends on what the core needs: quotas.ts.
  quotaPages: wholeNumber(1, FRAMES_MAX).optional(),
  copyBytesMax: wholeNumber(0, PAGE_BYTES).default(COPY_BYTES_MAX_DEFAULT),
  place: oneOf(...PLACES).default(PLACE_DEFAULT),
  trusted: z.boolean(asked("true or false")).optional(),
  restart: z.union(
    [z.literal("always"), z.literal("never"), z.int().min(0).max(60)],
    asked('"always", "never" or a whole number from 0 to 60'),
  ).default(RESTARTS_DEFAULT),
  watch: z.array(z.string(asked("the name of a service")))
    .max(WATCHED_MAX, asked(`at most ${WATCHED_MAX} names of services`))
    .optional(),
  ports: portsSchema.optional(),
  interpose: interposerSpecs,
  limit: rateLimitSchema.optional(),
  vlan: wholeNumber(1, VLAN_MAX).optional(),
  addresses: namedAddresses.optional(),
};

const module = {
  path: pathOfFile,
  receives: grantText,
  sends: grantText.optional(),
};

/** The fields that a service may have, whatever it runs. */
export const HOLDING_FIELDS: readonly string[] = Object.keys(holding);

/** The names of the fields that services of these cores may have. */
export function serviceFieldsOf(cores: readonly Protocol[]): readonly string[] {
  return [
    ...new Set([
      "core",
      ...cores.flatMap(({ fields }) => Object.keys(fields)),
      ...Object.keys(module),
      ...HOLDING_FIELDS,
    ]),
  ];
}

/** A service whose quota may still be left to its default. */
export type ServiceWithoutQuota =
  & Omit<ServiceHolding, "quotaPages">
  & { readonly quotaPages?: number | undefined }
  & (CoreManifest | ModuleManifest);

/** A service that may name its addresses without their prefixes, too. */
export type ServiceWithoutPrefixes =
  & Omit<ServiceWithoutQuota, "addresses">
  & { readonly addresses?: readonly NamedAddress[] | undefined }
  & (CoreManifest | ModuleManifest);

/** Checks a service that runs one of these cores, or a module. */
export function serviceSchemaOf(
  cores: readonly Protocol[],
): z.ZodType<ServiceWithoutPrefixes, ServiceManifestInput> {
  const ofModule = z.strictObject({
    core: z.literal("module"),
    ...module,
    ...holding,
  }).transform(({ sends, ...rest }) => ({
    ...rest,
    ...given({ sends }),
  }));
  const ofCores = cores.map(({ name, fields }) =>
    z.strictObject({ core: z.literal(name), ...fields, ...holding })
  );
  const names = [...cores.map(({ name }) => name), "module"];
  const schema = z.discriminatedUnion("core", [ofModule, ...ofCores], {
    error: (issue) =>
      issue.code === "invalid_union"
        ? `expected ${quoted(names)}, got ${
          showValue((issue.input as { core?: unknown }).core)
        }`
        : `expected a service such as {"core": "arp"}, got ${
          showValue(issue.input)
        }`,
  }).superRefine((service, context) => {
    const problem = placeProblem(service);
    if (problem === undefined) return;
    const { field, message } = problem;
    context.addIssue({ code: "custom", path: [field], message });
  });
  // A list says less to the compiler than its members do.
  return schema as unknown as z.ZodType<
    ServiceWithoutPrefixes,
    ServiceManifestInput
  >;
}
