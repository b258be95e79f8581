/** The options of `sallyport compile`. */

import type { LinkType } from "../../services/wire/link_type.ts";
import { nearest } from "../../services/manifest/nearest.ts";
import { quote, UsageError } from "../command/options.ts";
import {
  describeShortOptions,
  readShortOptions,
  SHORT_HELP,
  type ShortOptionSpec,
} from "../command/short_options.ts";

/** The stages of the compiler, in their order. */
export const STAGES = [
  "ast",
  "ir",
  "atoms",
  "tree",
  "dot",
  "wat",
  "wasm",
  "ebpf",
] as const;

/** One of the stages. */
export type Stage = typeof STAGES[number];

const LINKS: readonly LinkType[] = [
  "ethernet",
  "raw",
  "sll",
  "sll2",
  "null",
  "loop",
];

const READINGS = ["grant", "filter"] as const;

/** What `compile` is to do. */
export interface CompilePlan {
  /** In the words of pcap-filter(7). */
  readonly text: string;
  readonly stage: Stage;
  readonly link: LinkType;
  /** What it is taken for; undefined for a grant where it can be one. */
  readonly as: "grant" | "filter" | undefined;
  /** Where to write; undefined for standard output. */
  readonly output: string | undefined;
}

const OPTIONS: readonly ShortOptionSpec[] = [
  { name: "emit", value: "STAGE", help: "which stage to print (tree)" },
  {
    name: "link",
    value: "LINK",
    help: `what packets begin with: ${LINKS.join(", ")} (ethernet)`,
  },
  {
    name: "as",
    value: "WHAT",
    help:
      "grant: fixed fields that a capability stands for; filter: libpcap's " +
      "meaning (grant where it can be one)",
  },
  { letter: "o", name: "output", value: "FILE", help: "where to write it" },
  SHORT_HELP,
];

/** What `compile --help` prints. */
export const COMPILE_HELP: string = [
  "usage: sallyport compile 'FILTER' [OPTION…]",
  "",
  "Compiles a filter of pcap-filter(7) and prints what a stage of it makes:",
  "  sallyport compile 'udp dst port 53 and dst host 10.77.0.2' --emit=atoms",
  "",
  "options (defaults in parentheses):",
  ...describeShortOptions(OPTIONS),
  "",
  "stages:",
  "  ast    the text as it was read, with columns",
  "  ir     the tests over the packet's bytes that it means",
  "  atoms  a grant's fixed fields; of a filter every frame, and tests",
  "  tree   the decision tree that they are merged into",
  "  dot    the same as a graph, for Graphviz",
  "  wat    the WebAssembly classifier as text",
  "  wasm   the same as a module's bytes; to a file or a pipe only",
  "  ebpf   the XDP program; of grants only",
  "",
  "exit status: 0; 1 failed; 2 the filter or the options were not understood.",
  "",
].join("\n");

/**
 * Reads what `compile` is to do; undefined when help is asked for.
 *
 * @throws {UsageError} for an option that is wrong, by its name.
 */
export function readCompilePlan(
  args: readonly string[],
): CompilePlan | undefined {
  const { values, times, rest } = readShortOptions(args, OPTIONS);
  if (times.has("h")) return undefined;
  if (rest.length === 0) {
    throw new UsageError("give a filter: sallyport compile 'tcp port 80'");
  }
  const link = oneOf(LINKS, values.get("link") ?? "ethernet", "link");
  const as = values.get("as");
  if (as === "grant" && link !== "ethernet") {
    throw new UsageError(
      "--as=grant: a grant is of Ethernet frames; leave out --link",
    );
  }
  return {
    text: rest.join(" "),
    stage: oneOf(STAGES, values.get("emit") ?? "tree", "emit"),
    link,
    as: as === undefined ? undefined : oneOf(READINGS, as, "as"),
    output: values.get("o"),
  };
}

function oneOf<T extends string>(
  known: readonly T[],
  word: string,
  option: string,
): T {
  const found = known.find((each) => each === word);
  if (found !== undefined) return found;
  const meant = nearest(word, known);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new UsageError(
    `--${option}: expected ${known.join(", ")}, got ${quote(word)}${hint}`,
  );
}
