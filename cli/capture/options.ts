/** The options of `sallyport capture`. */

import { type NicChoice, NICS } from "../../services/manifest/nic/nics.ts";
import type { LineOptions } from "./line.ts";
import { quote, UsageError } from "../command/options.ts";
import {
  describeShortOptions,
  readShortOptions,
  SHORT_HELP,
  type ShortOptions,
  type ShortOptionSpec,
} from "../command/short_options.ts";

/** Where packets come from. */
export type CaptureSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "standard-input" }
  | { readonly kind: "nic"; readonly nic: NicChoice };

/** What `capture` is to do. */
export interface CapturePlan {
  readonly source: CaptureSource;
  /** The capture to write; undefined for none. */
  readonly write: string | undefined;
  /** How many packets to take; Infinity for all. */
  readonly countMax: number;
  /** Whether only counts are wanted. */
  readonly countOnly: boolean;
  readonly line: LineOptions;
  /** In the words of pcap-filter(7); empty for every packet. */
  readonly filter: string;
}

const OPTIONS: readonly ShortOptionSpec[] = [
  { letter: "r", value: "FILE", help: "read a capture; - is standard input" },
  { letter: "i", value: "NIC", help: "take packets from a NIC, see below" },
  {
    letter: "w",
    value: "FILE",
    help:
      "write the packets instead of printing them: pcapng when FILE ends in " +
      ".pcapng, else pcap",
  },
  { letter: "c", value: "N", help: "end after N packets that match" },
  { name: "count", help: 'print "N packets matched of M" and nothing else' },
  { letter: "#", name: "number", help: "number the lines" },
  {
    letter: "n",
    repeats: true,
    help: "numbers instead of names: always so, no name is ever looked up",
  },
  { letter: "q", name: "quick", help: "say less of each packet" },
  {
    letter: "t",
    repeats: true,
    help: "no times; -tt: seconds since 1970; -tttt: the date too",
  },
  { letter: "X", help: "the bytes after the link's header, in hex and ASCII" },
  SHORT_HELP,
];

/** What `capture --help` prints. */
export const CAPTURE_HELP: string = [
  "usage: sallyport capture -r FILE|-i NIC [OPTION…] [FILTER…]",
  "",
  "Prints one line for each packet that the filter matches, in tcpdump's manner.",
  "The filter is the rest of the line, in the language of pcap-filter(7):",
  "  sallyport capture -r trace.pcap tcp dst port 443 and not src net 10.0.0.0/8",
  "",
  "options:",
  ...describeShortOptions(OPTIONS),
  "",
  "NICs:",
  "  emulated     an in-memory wire with a peer on it that nobody answers",
  "  wire:NAME,peer",
  "               the same, on a wire that may lose frames: wire:lab,peer,loss=0.1",
  "  udp:LOCAL,PEER,key=FILE",
  "               a tunnel to another host: udp:10.0.0.1:4789,10.0.0.2:4789,key=k",
  "  pcap:FILE    a capture that is replayed, as it was recorded",
  "  tap:NAME     what a kernel sends into a TAP of that name (root); tun:NAME too",
  "  xdp:IFNAME   a Linux interface through AF_XDP (root): the frames to Sallyport's",
  "               own address, 02:53:0a:4d:00:02. What the kernel keeps is not seen:",
  "               XDP takes packets or leaves them, it cannot copy them.",
  "  packet:IFNAME  a Linux interface through a packet socket (root): every frame",
  "               that arrives, the kernel's too; not what this machine sends.",
  "",
  "Ctrl-C ends it with the counts. Exit status: 0 it ended as it was told to, or the",
  "capture did, also within its last packet (a warning says so); 1 failed; 2 the",
  "options or the filter were not understood.",
  "",
].join("\n");

/**
 * Reads what `capture` is to do; undefined when help is asked for.
 *
 * @throws {UsageError} for an option that is wrong, by its name.
 */
export function readCapturePlan(
  args: readonly string[],
): CapturePlan | undefined {
  const options = readShortOptions(args, OPTIONS);
  if (options.times.has("h")) return undefined;
  const write = options.values.get("w");
  const countOnly = options.times.has("count");
  if (countOnly && write !== undefined) {
    throw new UsageError("--count writes nothing: leave out -w or --count");
  }
  const source = readSource(options);
  if (source.kind === "file" && source.path === write) {
    throw new UsageError(`-r and -w name the same file, ${quote(write)}`);
  }
  return {
    source,
    write,
    countMax: readCount(options.values.get("c")),
    countOnly,
    line: {
      numbers: options.times.has("#"),
      quiet: options.times.has("q"),
      dump: options.times.has("X"),
      time: readTime(options.times.get("t") ?? 0),
    },
    filter: options.rest.join(" "),
  };
}

function readSource({ values }: ShortOptions): CaptureSource {
  const path = values.get("r");
  const name = values.get("i");
  if ((path === undefined) === (name === undefined)) {
    throw new UsageError(
      path === undefined
        ? "give -r FILE to read a capture, or -i NIC to make one"
        : "give either -r or -i",
    );
  }
  if (path === "-") return { kind: "standard-input" };
  if (path !== undefined) return { kind: "file", path };
  const nic = NICS.read(name!);
  if (!("problem" in nic)) return { kind: "nic", nic };
  const hint = nic.problem.includes(NICS.forms)
    ? "; an interface is named with its driver, as xdp:eth1"
    : "";
  throw new UsageError(`-i: ${nic.problem}, got ${quote(name!)}${hint}`);
}

function readCount(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new UsageError(
    `-c: expected how many packets, from 1, got ${quote(text)}`,
  );
}

function readTime(times: number): LineOptions["time"] {
  switch (times) {
    case 0:
      return "day";
    case 1:
      return "none";
    case 2:
      return "seconds";
    case 4:
      return "date";
  }
  throw new UsageError(
    `-${"t".repeat(Math.min(times, 8))}: expected -t, -tt or -tttt`,
  );
}
