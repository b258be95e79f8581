/** The options of `sallyport up`, and the manifest that they make. */

import {
  DEFAULT_MANIFEST,
  type Manifest,
  ManifestError,
  parseManifest,
} from "../../services/manifest/manifest.ts";
import { logFilesOf } from "../../services/manifest/interposer.ts";
import type { NicKind } from "../../services/manifest/nic/kind.ts";
import { NIC_KINDS } from "../../services/manifest/nic/nics.ts";
import { filesOf } from "../../services/system/files.ts";
import { readDuration } from "../command/duration.ts";
import { NameTwiceError, parseJsonc } from "../command/jsonc.ts";
import {
  describeOptions,
  HELP_OPTION,
  type Options,
  type OptionSpec,
  quote,
  UsageError,
} from "../command/options.ts";
import { refuseSameFile } from "../command/same_file.ts";
import { isStandardInput, readTextFile } from "../command/text_file.ts";
import { type GivenPlaces, readPlaces, setPlaces } from "./places.ts";
import { type AddedServices, addServices, readServices } from "./services.ts";
import type { Terminal } from "../screen/terminal.ts";

/** A run of `up`, as its options ask for it. */
export interface UpPlan {
  readonly manifest: Manifest;
  /** Whether each service gets a confined worker of its own. */
  readonly confined: boolean;
  /** Whether to print the final snapshot as JSON and nothing else. */
  readonly json: boolean;
  /** When to stop; undefined for not by itself. */
  readonly forMs: number | undefined;
  /** How to print what is connected to what, in place of running; undefined for not. */
  readonly picture: "text" | "dot" | undefined;
}

/** Options that stand for the manifest's field of the same name. */
const FIELD_OPTIONS: readonly OptionSpec[] = [
  { name: "nic", value: "NIC", help: "which NIC, see below (emulated)" },
  {
    name: "address",
    value: "CIDR",
    repeats: true,
    help: "an address to answer on, once for each (10.77.0.2/24)",
  },
  {
    name: "mac",
    value: "MAC",
    help: "its Ethernet address (02:53 and the IPv4 address)",
  },
  {
    name: "write",
    value: "FILE",
    help: "capture what crosses the NIC; - is standard output (none)",
  },
  {
    name: "pace",
    value: "PACE",
    help: "recorded or at-once: how packets are paced (recorded)",
  },
  {
    name: "seed",
    value: "NUMBER",
    help: "what the emulated peer's choices come from (1)",
  },
  {
    name: "unclaimed",
    value: "WHERE",
    help: "kernel or drop: what nobody holds (kernel on xdp, packet)",
  },
];

/** All options of `up`. */
export const UP_OPTIONS: readonly OptionSpec[] = [
  ...FIELD_OPTIONS,
  {
    name: "manifest",
    value: "FILE",
    help: "the manifest, JSON with comments; options override it",
  },
  {
    name: "service",
    value: "FILE=WHAT",
    repeats: true,
    help: "run a service of your own too, see below (none)",
  },
  {
    name: "place",
    value: "PLACE",
    repeats: true,
    help: "where services run, or NAME=PLACE one, see below (worker)",
  },
  {
    name: "for",
    value: "TIME",
    help: "stop after 500ms, 5s, 2m or 1h (not by itself)",
  },
  {
    name: "json",
    help: "print the final counters as one JSON object, nothing else",
  },
  {
    name: "picture",
    value: "FORM",
    optional: true,
    help: "print what is wired to what, as text or dot, and end",
  },
  {
    name: "in-process",
    help: "run the services here, unconfined (confined workers)",
  },
  HELP_OPTION,
];

/** Writes the lines of `up --help` for a kind of NIC: its form, and its help beside that. */
function describeNic({ form, help }: NicKind): string[] {
  const [first, ...more] = help;
  const indented = more.map((line) => `               ${line}`);
  // A form that is too long has a line of its own.
  return form.length > 13
    ? [`  ${form}`, `               ${first}`, ...indented]
    : [`  ${form.padEnd(11)}  ${first}`, ...indented];
}

/** What `up --help` prints. */
export const UP_HELP: string = [
  "usage: sallyport up [OPTION…]      (also: sallyport start)",
  "",
  "Runs the services behind a NIC, each in a confined worker that gets only the",
  "packets that its capability stands for: arp, icmp-echo, and udp-echo on port 7.",
  "Ctrl-C stops it with a summary; a second Ctrl-C ends it at once.",
  "",
  "options (defaults in parentheses):",
  ...describeOptions(UP_OPTIONS),
  "",
  "NICs:",
  ...NIC_KINDS.flatMap(describeNic),
  "",
  "services of your own:",
  "  --service ./mine.ts='udp dst port 53 and dst host 10.77.0.2'",
  "  FILE is one module that imports nothing; it is checked and runs confined. It",
  "  may receive WHAT (a filter text), or part of it, and send the answers to that",
  '  under the system\'s own addresses; a manifest may say more ("sends").',
  "",
  "places:",
  "  worker       a confined worker of the service's own",
  "  driver       the thread of the NIC's driver: no copy, no message, no wall; one",
  "               that does not return stops the NIC. A service of your own needs a",
  '               manifest for it: "core": "module" with "trusted": true',
  "",
  "exit status: 0 stopped as it was told to (--for has passed, Ctrl-C, the capture",
  "at its end); 1 failed, or one of its services did; 2 options or manifest not",
  "understood, nothing was started; 130 ended by a second Ctrl-C.",
  "",
].join("\n");

/**
 * Reads what `up` is to do.
 *
 * @throws {UsageError} for an option that is wrong, by its name.
 * @throws {ManifestError} for a manifest file that is wrong.
 */
export async function readPlan(
  options: Options,
  terminal: Pick<Terminal, "readText">,
): Promise<UpPlan> {
  const forText = options.get("for");
  const forMs = forText === undefined ? undefined : readDuration(forText);
  if (forText !== undefined && forMs === undefined) {
    throw new UsageError(
      `--for: expected a time such as 500ms, 5s, 2m or 1h (at most 596h), got ${
        quote(forText)
      }`,
    );
  }
  const confined = !options.has("in-process");
  if (!confined && options.has("service")) {
    throw new UsageError(
      "--service: such a service runs confined only; leave out --in-process",
    );
  }
  const manifest = await readManifest(options, terminal);
  if (manifest.write === "-" && options.has("json")) {
    throw new UsageError(
      "--json and --write - both want standard output; name a file to write",
    );
  }
  if (logFilesOf(manifest.services).some(({ file }) => file === "-")) {
    throw new UsageError(
      "a log of frames goes to a file: standard output has the run's own lines",
    );
  }
  const path = options.get("manifest");
  refuseSameFile([
    ...(path === undefined
      ? []
      : [{ name: "--manifest", path, way: "read" } as const]),
    ...filesOf(manifest, { nic: "--nic", write: "--write" }),
  ]);
  return {
    manifest,
    confined,
    json: options.has("json"),
    forMs,
    picture: readPicture(options),
  };
}

function readPicture(options: Options): UpPlan["picture"] {
  const form = options.get("picture");
  if (form === undefined) return undefined;
  if (form !== "" && form !== "text" && form !== "dot") {
    throw new UsageError(
      `--picture: expected text or dot, got ${quote(form)}`,
    );
  }
  const other = ["for", "json"].find((name) => options.has(name));
  if (other !== undefined) {
    throw new UsageError(
      `--picture ends once it is printed; leave out --${other}`,
    );
  }
  return form === "dot" ? "dot" : "text";
}

async function readManifest(
  options: Options,
  terminal: Pick<Terminal, "readText">,
): Promise<Manifest> {
  const path = options.get("manifest");
  const written = path === undefined
    ? DEFAULT_MANIFEST
    : await readJson(path, terminal);
  const overrides = Object.fromEntries(
    FIELD_OPTIONS.filter(({ name }) => options.has(name)).map(({ name }) => [
      name,
      fieldValue(name, options.all(name)),
    ]),
  );
  const added = readServices(options.all("service"));
  const places = readPlaces(options.all("place"));
  try {
    return parseManifest(
      isRecord(written)
        ? setPlaces(addServices({ ...written, ...overrides }, added), places)
        : written,
    );
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const fromOptions = Object.keys(overrides);
    throw blame(error, { path, fromOptions, added, places });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number, or a list, where the manifest has one; anything else is for it to refuse. */
function fieldValue(
  name: string,
  given: readonly string[],
): string | number | readonly string[] {
  const [text] = given as [string, ...string[]];
  if (name === "address") return given.length === 1 ? text : given;
  return name === "seed" && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

async function readJson(
  path: string,
  terminal: Pick<Terminal, "readText">,
): Promise<unknown> {
  const where = `--manifest ${quote(path)}`;
  let text: string;
  try {
    text = isStandardInput(path)
      ? readTextFile(path)
      : await terminal.readText(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${where}: cannot read it (${reason})`);
  }
  try {
    return parseJsonc(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      error instanceof NameTwiceError
        ? `${where}: ${reason}`
        : `${where}: it is not JSON (${reason})`,
    );
  }
}

/** Names the option, or the file, that each wrong field came from. */
function blame(
  error: ManifestError,
  source: {
    readonly path: string | undefined;
    readonly fromOptions: readonly string[];
    readonly added: AddedServices;
    readonly places: GivenPlaces;
  },
): ManifestError {
  const { all, named } = source.places;
  return new ManifestError(error.problems.map(({ path, message }) => {
    const [field = "", name = "", what] = path;
    const place = named.get(name) ?? all;
    if (field === "services" && what === "place" && place !== undefined) {
      return { path: [`--place ${place}`], message: `${name}: ${message}` };
    }
    const service = field === "services" ? source.added.get(name) : undefined;
    if (service !== undefined) {
      return { path: ["--service"], message: `${service.path}: ${message}` };
    }
    if (source.fromOptions.includes(field)) {
      return { path: [`--${field}`], message };
    }
    return source.path === undefined
      ? { path, message }
      : { path, message: `${message} (in ${quote(source.path)})` };
  }));
}
