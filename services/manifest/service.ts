/** One service of a manifest. */

import { z } from "zod";
import { COPY_BYTES_MAX_DEFAULT } from "../../caps/kernel/kernel.ts";
import { FRAMES_MAX, PAGE_BYTES } from "../../caps/memory/memory.ts";
import type { RateLimit } from "../../caps/kernel/rate_limit.ts";
import { grant } from "../filter/grant/text/grant_text.ts";
import { type InterposerSpec, interposerSpecs } from "./interposer.ts";
import { showValue } from "./error.ts";
import { asked, pathOfFile, quoted, wholeNumber } from "./field.ts";
import { type RateLimitInput, rateLimitSchema } from "./rate_limit.ts";

/** The most services that one may watch. */
const WATCHED_MAX = 64;

/** Restarts of a service within a minute, unless told otherwise. */
const RESTARTS_DEFAULT = 5;

/** The protocol cores that a service can run. */
export const CORE_NAMES = ["arp", "icmp-echo", "udp-echo"] as const;

/** Whether a service that failed is started again; a number is the most restarts within a minute. */
export type RestartPolicy = "always" | "never" | number;

/** One service: a core, and what its capability may hold. */
export type ServiceManifest =
  & {
    /** The most pages that it may hold at once. */
    readonly quotaPages: number;
    /** Packets up to this many bytes are copied to it; for larger ones a page is swapped. */
    readonly copyBytesMax: number;
    /** Whether it is trusted with packet memory itself, and gets descriptors. */
    readonly trusted?: boolean | undefined;
    /** What becomes of it when it fails. */
    readonly restart: RestartPolicy;
    /** Other services, by name: its core is told when they fail and run again. */
    readonly watch?: readonly string[] | undefined;
    /** What its packets pass unseen by it, the nearest to the driver first. */
    readonly interpose?: readonly InterposerSpec[] | undefined;
    /** How much comes and goes in a second, each way; absent for no limit. */
    readonly limit?: RateLimit | undefined;
  }
  & (
    | { readonly core: "arp" | "icmp-echo" }
    | { readonly core: "udp-echo"; readonly port: number }
    | ModuleManifest
  );

/** A third party's service: its module, and what that may have at most. */
export interface ModuleManifest {
  /** It runs no core of ours. */
  readonly core: "module";
  /** Where its file is; a `file:` URL is one too. */
  readonly path: string;
  /** The packets that it may receive, as a grant's text. */
  readonly receives: string;
  /** The packets that it may send; answers to what it receives unless given. */
  readonly sends?: string;
}

/** A service as it is written in a manifest. */
export interface ServiceManifestInput {
  /** The protocol core that it runs; `module` for one of a third party's, in a file. */
  readonly core: typeof CORE_NAMES[number] | "module";
  /** For `udp-echo` only: where it listens, 7 unless told. */
  readonly port?: number | undefined;
  /** For `module` only: its file. */
  readonly path?: string | undefined;
  /** For `module` only: the packets that it may receive at most, such as `udp dst port 53`. */
  readonly receives?: string | undefined;
  /**
   * For `module` only: those that it may send at most; unless given, answers
   * from the system's own addresses to what it may receive.
   */
  readonly sends?: string | undefined;
  /** 1 to the number of frames; 64 unless told. */
  readonly quotaPages?: number | undefined;
  /** 0 (a page is swapped for each packet) to 4096 (each is copied); 2048 unless told. */
  readonly copyBytesMax?: number | undefined;
  /**
   * True for a service that gets packet memory itself, all of it, and descriptors
   * in place of copies and pages; false unless told.
   */
  readonly trusted?: boolean | undefined;
  /** `always`, `never`, or restarts within a minute (0 to 60); 5 unless told. */
  readonly restart?: RestartPolicy | undefined;
  /** Names of other services: its core is told when they fail and run again; none unless told. */
  readonly watch?: readonly string[] | undefined;
  /** What its packets pass unseen by it, the nearest to the driver first; up to 16. */
  readonly interpose?: readonly InterposerSpec[] | undefined;
  /** `{"packetsPerSecond": 1000}`, `{"bytesPerSecond": 1e6}` or both, each way; no limit unless told. */
  readonly limit?: RateLimitInput | undefined;
}

/** Text that is a grant's; it stays text, as it was written. */
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
  quotaPages: wholeNumber(1, FRAMES_MAX).default(64),
  copyBytesMax: wholeNumber(0, PAGE_BYTES).default(COPY_BYTES_MAX_DEFAULT),
  trusted: z.boolean(asked("true or false")).optional(),
  restart: z.union(
    [z.literal("always"), z.literal("never"), z.int().min(0).max(60)],
    asked('"always", "never" or a whole number from 0 to 60'),
  ).default(RESTARTS_DEFAULT),
  watch: z.array(z.string(asked("the name of a service")))
    .max(WATCHED_MAX, asked(`at most ${WATCHED_MAX} names of services`))
    .optional(),
  interpose: interposerSpecs,
  limit: rateLimitSchema.optional(),
};

/** A service, in a manifest. */
export const serviceSchema: z.ZodType<ServiceManifest, ServiceManifestInput> = z
  .discriminatedUnion("core", [
    z.strictObject({ core: z.literal("arp"), ...holding }),
    z.strictObject({ core: z.literal("icmp-echo"), ...holding }),
    z.strictObject({
      core: z.literal("udp-echo"),
      port: wholeNumber(1, 65535).default(7),
      ...holding,
    }),
    z.strictObject({
      core: z.literal("module"),
      path: pathOfFile,
      receives: grantText,
      sends: grantText.optional(),
      ...holding,
    }).transform(({ sends, ...rest }) => ({
      ...rest,
      ...(sends === undefined ? {} : { sends }),
    })),
  ], {
    error: (issue) =>
      issue.code === "invalid_union"
        ? `expected ${quoted([...CORE_NAMES, "module"])}, got ${
          showValue((issue.input as { core?: unknown }).core)
        }`
        : `expected a service such as {"core": "arp"}, got ${
          showValue(issue.input)
        }`,
  }).superRefine(({ trusted, interpose }, context) => {
    if (trusted !== true || interpose === undefined) return;
    context.addIssue({
      code: "custom",
      path: ["trusted"],
      message:
        "expected no `interpose` beside it: what is trusted has its packets where they lie",
    });
  });

/** The fields that a service may have. */
export const SERVICE_FIELDS: readonly string[] = [
  ...["core", "port", "path", "receives", "sends"],
  ...Object.keys(holding),
];
