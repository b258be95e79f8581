/**
 * Where Sallyport and libpcap 1.10.3 differ, and why: what one refuses and the
 * other takes, and what the two take and mean otherwise. A difference that is
 * not listed here fails the tests.
 *
 * Three more are not of texts but of packets, and comparison.ts knows them: a
 * `protochain` that leads back into itself never ends in libpcap and does not
 * match here; loads that libpcap's optimiser removes (language/ir.ts); and texts
 * that it turns into others, about one in a hundred thousand: the program as it
 * was written is what counts.
 */

/** A text that one refuses and the other takes. */
export interface Disagreement {
  readonly text: string;
  readonly link: string;
  /** What we said of it; undefined where we took it. */
  readonly ours: string | undefined;
  /** What libpcap said of it; undefined where it took it. */
  readonly theirs: string | undefined;
}

interface Difference {
  readonly why: string;
  /** What our error says, where we refuse. */
  readonly ours?: RegExp;
  /** What libpcap's error says, where it refuses. */
  readonly theirs?: RegExp;
  /** What the text contains. */
  readonly text: RegExp;
}

const DIFFERENCES: readonly Difference[] = [
  {
    why: "without cooked headers libpcap compiles loads from the Linux " +
      "kernel's own metadata, which no captured packet has: never true",
    ours: /`(inbound|outbound|ifindex)` on link type/,
    text: /inbound|outbound|ifindex/,
  },
  {
    why: "libpcap reads a range with sscanf and does not look at its rest",
    ours: /is not a range of ports/,
    text: /portrange/,
  },
  {
    why: "libpcap takes the first constant within a right operand for the " +
      "operand: `1 / ip[0]` is a division by zero to it",
    theirs: /^(division|modulus) by zero$|^shift by more than 31 bits$/,
    text: /[/%]|<<|>>/,
  },
  {
    why: "libpcap 1.10 takes any IPv4 network for a DECnet address; later " +
      "versions refuse it as we do",
    ours: /an IPv4 address with `decnet`/,
    text: /decnet/,
  },
  {
    why: "names of hosts and networks are not looked up",
    ours: /names of hosts and networks are not looked up/,
    text: /./,
  },
  {
    why: "`vxlan` came after libpcap 1.10",
    theirs: /syntax error/,
    text: /vxlan/,
  },
  {
    why: "nesting is limited",
    ours: /nested too deeply|too many operators under one another/,
    text: /./,
  },
];

/** Whether a disagreement is one of the known ones. */
export function knownDifference(found: Disagreement): boolean {
  return DIFFERENCES.some((known) =>
    known.text.test(found.text) &&
    (known.ours !== undefined) === (found.ours !== undefined) &&
    (known.ours?.test(found.ours ?? "") ?? true) &&
    (known.theirs?.test(found.theirs ?? "") ?? true)
  );
}

/** Texts that both take, and that mean something else in libpcap. */
const OTHER_MEANINGS: readonly {
  readonly why: string;
  readonly text: RegExp;
}[] = [
  {
    why: "libpcap 1.10 forgets to load the byte; later versions do as we do",
    text: /byte \S+ [&|]/,
  },
  {
    why: "where no Geneve header was found, libpcap looks behind it by " +
      "registers that it never wrote; ours begin as 0. The grammar of " +
      "expressions.ts has `geneve` only where that cannot be seen",
    text: /geneve/,
  },
];

/** Whether a text cannot be compared by what it matches. */
export function incomparable(text: string): boolean {
  return OTHER_MEANINGS.some((other) => other.text.test(text));
}
