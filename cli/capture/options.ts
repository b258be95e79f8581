/** What `sallyport capture` is to do, by its options. */

import { CAPTURED_BYTES_MAX } from "../../drivers/capture/packet.ts";
import { type NicChoice, NICS } from "../../services/manifest/nic/nics.ts";
import { quote, UsageError } from "../command/options.ts";
import { isStandardInput } from "../command/text_file.ts";
import {
  identityOfNamed,
  type NamedFile,
} from "../../drivers/capture/named_file.ts";
import { refuseSameFile, standardName } from "../command/same_file.ts";
import {
  readShortOptions,
  type ShortOptions,
} from "../command/short_options.ts";
import type { WritePlan } from "./file_sink.ts";
import { FOREIGN_OPTIONS } from "./foreign_options.ts";
import { CAPTURE_OPTIONS, OTHER_NAMES } from "./help.ts";
import type { DumpOptions, LineOptions } from "./line.ts";
import { readRotation } from "./rotation.ts";
import type { TimeStyle } from "./time_text.ts";

/** Where packets come from. */
export type CaptureSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "standard-input" }
  | { readonly kind: "nic"; readonly nic: NicChoice };

/** What `capture` is to do. */
export interface CapturePlan {
  readonly source: CaptureSource;
  /** The capture to write; undefined for none. */
  readonly write: WritePlan | undefined;
  /** How many packets to take; Infinity for all. */
  readonly countMax: number;
  /** Whether only counts are wanted. */
  readonly countOnly: boolean;
  readonly line: LineOptions & { readonly atOnce: boolean };
  /** In the words of pcap-filter(7); empty for every packet. */
  readonly filter: string;
}

/**
 * Reads what `capture` is to do; undefined when help is asked for. `readText`
 * reads the file of `-F`.
 *
 * @throws {UsageError} for an option that is wrong, by its name.
 */
export function readCapturePlan(
  args: readonly string[],
  readText: (path: string) => string,
): CapturePlan | undefined {
  const options = readShortOptions(args, [
    ...CAPTURE_OPTIONS,
    ...OTHER_NAMES,
    ...FOREIGN_OPTIONS,
  ]);
  const { times, values } = options;
  if (times.has("h")) return undefined;
  const countOnly = times.has("count");
  const written = values.get("w");
  if (countOnly && written !== undefined) {
    throw new UsageError("--count writes nothing: leave out -w or --count");
  }
  const source = readSource(options);
  refuseDirection(values.get("Q"), source);
  const snapBytes = readSnap(values.get("s"));
  const precision = readPrecision(options);
  const files = filesOf(source, options);
  refuseSameFile(files);
  const write: WritePlan | undefined = written === undefined ? undefined : {
    path: standardName(written, "written"),
    rotation: readRotation(values, written),
    unit: precision,
    snapBytes,
    atOnce: times.has("U"),
    apartFrom: files.filter(({ way }) => way === "read").map(identityOfNamed),
  };
  if (write === undefined) readRotation(values, undefined);
  return {
    source,
    write,
    countMax: readCount(values.get("c")),
    countOnly,
    line: {
      snapBytes,
      numbers: times.has("#"),
      quiet: times.has("q"),
      linkHeader: times.has("e"),
      dump: readDump(times),
      time: readTime(times.get("t") ?? 0),
      nanoseconds: precision === "ns",
      atOnce: times.has("l"),
    },
    filter: readFilter(options, readText),
  };
}

/** The files of the command line, those that are read first. */
function filesOf(source: CaptureSource, { values }: ShortOptions): NamedFile[] {
  const files: NamedFile[] = [];
  const add = (
    name: string,
    path: string | undefined,
    way: NamedFile["way"] = "read",
  ) => path === undefined || files.push({ name, path, way });
  if (source.kind === "file") add("-r", source.path);
  if (source.kind === "standard-input") add("-r", "-");
  if (source.kind === "nic") {
    add("-i", NICS.kindOf(source.nic).reads?.(source.nic).path);
  }
  add("-F", values.get("F"));
  const written = values.get("w");
  if (written !== undefined) {
    add("-w", standardName(written, "written"), "written");
  }
  return files;
}

function readSource({ values }: ShortOptions): CaptureSource {
  const given = values.get("r");
  const name = values.get("i");
  if ((given === undefined) === (name === undefined)) {
    throw new UsageError(
      given === undefined
        ? "give -r FILE to read a capture, or -i NIC to make one"
        : "give either -r or -i",
    );
  }
  if (given !== undefined) {
    const path = standardName(given, "read");
    return path === "-" ? { kind: "standard-input" } : { kind: "file", path };
  }
  const nic = NICS.read(name!);
  if (!("problem" in nic)) return { kind: "nic", nic };
  const hint = nic.problem.includes(NICS.forms)
    ? "; an interface is named with its driver, as xdp:eth1"
    : "";
  throw new UsageError(`-i: ${nic.problem}, got ${quote(name!)}${hint}`);
}

/** What is sent does not come back to a NIC, and files mostly do not say which way a packet went. */
function refuseDirection(
  direction: string | undefined,
  { kind }: CaptureSource,
): void {
  if (direction === undefined) return;
  if (!["in", "out", "inout"].includes(direction)) {
    throw new UsageError(`-Q: expected in, got ${quote(direction)}`);
  }
  if (kind !== "nic") {
    throw new UsageError(
      "-Q is about packets of a NIC: leave it out, or give -i",
    );
  }
  if (direction === "in") return;
  throw new UsageError(
    `-Q ${direction}: what leaves a NIC is not seen here; \`sallyport up --write FILE.pcapng\` captures what Sallyport sends and receives`,
  );
}

function readFilter(
  { values, rest }: ShortOptions,
  readText: (path: string) => string,
): string {
  const path = values.get("F");
  if (path === undefined) return rest.join(" ");
  if (rest.length > 0) {
    throw new UsageError(
      `-F: the filter is in ${quote(path)}; leave out ${quote(rest.join(" "))}`,
    );
  }
  if (isStandardInput(path) && isStandardInput(values.get("r"))) {
    throw new UsageError(
      "-r and -F both want standard input; name a file for one of them",
    );
  }
  try {
    return readText(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`-F ${quote(path)}: cannot read it (${reason})`);
  }
}

function readSnap(text: string | undefined): number {
  if (text === undefined) return CAPTURED_BYTES_MAX;
  const bytes = /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
  if (bytes <= CAPTURED_BYTES_MAX) return bytes || CAPTURED_BYTES_MAX;
  throw new UsageError(
    `-s: expected how many bytes of a packet, up to ${CAPTURED_BYTES_MAX} (0 for that), got ${
      quote(text)
    }`,
  );
}

function readPrecision(
  { values, times }: ShortOptions,
): "us" | "ns" | undefined {
  const text = values.get("time-stamp-precision");
  if (text !== undefined && text !== "micro" && text !== "nano") {
    throw new UsageError(
      `--time-stamp-precision: expected micro or nano, got ${quote(text)}`,
    );
  }
  if (times.has("nano") || text === "nano") return "ns";
  return times.has("micro") || text === "micro" ? "us" : undefined;
}

function readDump(times: ReadonlyMap<string, number>): DumpOptions | undefined {
  const kinds = [["X", "hex-and-ascii"], ["x", "hex"], ["A", "ascii"]] as const;
  for (const [letter, as] of kinds) {
    const count = times.get(letter);
    if (count !== undefined) return { as, linkHeader: count > 1 };
  }
  return undefined;
}

function readCount(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new UsageError(
    `-c: expected how many packets, from 1, got ${quote(text)}`,
  );
}

const TIME_STYLES: readonly TimeStyle[] = [
  "day",
  "none",
  "seconds",
  "since-previous",
  "date",
  "since-first",
];

function readTime(times: number): TimeStyle {
  const style = TIME_STYLES[times];
  if (style !== undefined) return style;
  throw new UsageError(
    `-${"t".repeat(Math.min(times, 8))}: expected -t to -ttttt`,
  );
}
