import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import {
  type CompileOptions,
  compileText,
} from "../../../../services/filter/language/compile.ts";
import { FilterError } from "../../../../services/filter/language/error.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import { TESTS_MAX } from "../../../../services/filter/language/limits.ts";
import { printProgram } from "../../../../services/filter/language/print.ts";
import {
  LIKELY,
  primitiveArbitrary,
} from "../../../arbitraries/expressions.ts";
import {
  linkedFrame,
  vxlanAround,
} from "../../../arbitraries/linked_frames.ts";
import { testProperty } from "../../../property.ts";

const ETHERNET: CompileOptions = { linkType: "ethernet" };

function refusal(text: string, options = ETHERNET): FilterError {
  try {
    compileText(text, options);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`compileText() took ${JSON.stringify(text)}`);
}

function matches(text: string, bytes: readonly number[]): boolean {
  return matchesText(compileText(text, ETHERNET), Uint8Array.from(bytes));
}

const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ["tcp port htpp", 10, /`htpp` is not the name of a port/],
  ["tcp port tftp", 10, /a name of UDP alone/],
  ["icmp port 80", 11, /`icmp` has no ports/],
  ["port 65536", 6, /port 65536; expected at most 65535/],
  ["port 10.0.0.1", 6, /an address in the place of a port/],
  ["portrange 80-", 13, /`and`, `or` or the end/],
  ["portrange a-b-c", 11, /one hyphen/],
  ["host example.org", 6, /names of hosts and networks are not looked up/],
  ["gateway router", 9, /`ether host MAC and not host ADDRESS`/],
  ["host 10.0.0.0/8", 6, /a mask of a host; expected `net`/],
  ["net 10.0.0.1/8", 5, /10\.0\.0\.1\/8 has bits outside its mask/],
  ["net 10.0.0.0/33", 5, /a prefix of 33 bits/],
  ["net 256.0.0.0/8", 5, /not an IPv4 address/],
  ["host ::1.2.3.400", 6, /not an IPv6 address/],
  ["ip host ::1", 9, /an IPv6 address with `ip`/],
  ["ip6 host 10.0.0.1", 10, /an IPv4 address with `ip6`/],
  ["host 2:0:0:0:0:1", 6, /expected `ether host`/],
  ["ip proto nonsense", 10, /not the name of a protocol/],
  ["udp proto 3", 11, /does not carry protocols by number/],
  ["ip broadcast", 4, /mask, which is not known/],
  ["tcp multicast", 5, /means nothing/],
  ["ether", 1, /`ether host`, `ether proto`/],
  ["vlan 4096", 1, /at most 4095/],
  ["mpls and vlan", 10, /before `mpls`/],
  ["mpls and arp", 10, /does not say which protocol/],
  ["inbound", 1, /a cooked capture/],
  ["llc nonsense", 1, /not a type of 802\.2 frame/],
  ["1 / 0 = 1", 5, /division by zero/],
  ["1 << 32 = 1", 6, /a shift by 32 bits/],
  ["ah[0] = 1", 1, /cannot be reached by an offset/],
  ["geneve and ip protochain 6", 26, /before `geneve`/],
];

for (const [text, column, message] of REFUSED) {
  Deno.test(`compileText() refuses ${JSON.stringify(text)} and says why`, () => {
    const error = refusal(text);
    match(error.message, message);
    strictEqual(error.column, column);
  });
}

Deno.test("compileText() refuses a filter that becomes too many comparisons", () => {
  // One comparison each.
  const text = (comparisons: number) => `ip${" or ip".repeat(comparisons - 1)}`;
  compileText(text(TESTS_MAX), ETHERNET);
  const refused = refusal(text(TESTS_MAX + 1));
  match(refused.message, new RegExp(`more than ${TESTS_MAX}`));
  // A list counts with each of its numbers: two destinations and a source.
  const list = " or src or dst net 10.0.0.0/8 or 11.0.0.0/8";
  const numbers = 3 * (1 + 1 + 2 + 1);
  compileText(text(TESTS_MAX - numbers) + list, ETHERNET);
  refusal(text(TESTS_MAX - numbers + 1) + list);
});

Deno.test("compileText() refuses arithmetic that libpcap has no registers for", () => {
  const nested = (n: number) =>
    "1 - (".repeat(n) + "len" + ")".repeat(n) + " = 1";
  compileText(nested(15), ETHERNET);
  match(refusal(nested(16)).message, /too many results to hold/);
});

Deno.test("a load beyond the packet rejects it, whatever stands around", () => {
  strictEqual(matches("not ether[2] = 1 or ether[0] = 9", [9, 9]), false);
  strictEqual(matches("ether[0] = 9 or not ether[2] = 1", [9, 9]), true);
});

Deno.test("a division by a zero in the packet rejects it", () => {
  strictEqual(matches("not 1 / ether[0] = 5", [0]), false);
  strictEqual(matches("not 1 / ether[0] = 5", [1]), true);
  strictEqual(matches("not 1 % ether[0] = 5", [0]), false);
});

Deno.test("a shift by 32 or more gives 0", () => {
  strictEqual(matches("1 << ether[0] = 0 and 1 >> ether[0] = 0", [32]), true);
  strictEqual(matches("1 << ether[0] = 2147483648", [31]), true);
});

Deno.test("an index that would wrap around is beyond every packet", () => {
  strictEqual(matches("not ether[-1] = 1", new Array(60).fill(8)), false);
  strictEqual(matches("ether[4294967295] = 0 or ether[0] = 0", [0]), false);
});

Deno.test("a chain of headers that leads back into itself ends without a match", () => {
  const frame = new Array<number>(14 + 40 + 24).fill(0);
  frame.splice(12, 3, 0x86, 0xdd, 0x60);
  frame[14 + 6] = 51;
  // An authentication header at 40 whose length leads to 40 again.
  frame.splice(14 + 40, 2, 51, 8);
  strictEqual(matches("not ip6 protochain 6", frame), false);
  strictEqual(matches("ip6 protochain 51", frame), true);
});

Deno.test("printProgram() shows a program in the words of its grammar", () => {
  const text = "vlan 7 and udp[0:2] = 53";
  deepStrictEqual(printProgram(compileText(text, ETHERNET)).split("\n"), [
    "# link type ethernet",
    "and",
    "  and",
    "    or",
    "      [12:2] = 0x8100",
    "      [12:2] = 0x88a8",
    "      [12:2] = 0x9100",
    "    ([14:2] & 0xfff) = 7",
    "  and",
    "    [16:2] = 0x800",
    "    or",
    "      and",
    "        [16:2] = 0x800",
    "        [27:1] = 0x11",
    "      and",
    "        [16:2] = 0x86dd",
    "        or",
    "          [24:1] = 0x11",
    "          and",
    "            [24:1] = 0x2c",
    "            [58:1] = 0x11",
    "    not",
    "      [24:2] & 0x1fff",
    "    [(0 + (([18:1] & 0xf) << 2)) + 18:2] = 0x35",
    "",
  ]);
});

Deno.test("IPv6 in loopback captures of files has any system's number", () => {
  const frame = (...header: number[]) => Uint8Array.from([...header, 0x60]);
  for (
    const [linkType, header, live, saved] of [
      ["null", [10, 0, 0, 0], true, false],
      ["null", [30, 0, 0, 0], false, true],
      ["loop", [0, 0, 0, 24], false, true],
      ["loop", [0, 0, 0, 28], false, true],
      ["loop", [0, 0, 0, 10], true, false],
      ["null", [0, 0, 0, 30], false, false],
    ] as const
  ) {
    for (const savefile of [false, true]) {
      const program = compileText("ip6", { linkType, savefile });
      strictEqual(
        matchesText(program, frame(...header)),
        savefile ? saved : live,
      );
    }
  }
});

testProperty(
  "`byte N & M` and `byte N | M` mean what `ether[N] & M != 0` means",
  { runs: 300, file: import.meta.url },
  fc.property(
    fc.nat(20),
    fc.constantFrom("&", "|"),
    fc.nat(255),
    linkedFrame("ethernet"),
    (at, operator, mask, frame) => {
      const [one, other] = [
        `byte ${at} ${operator} ${mask}`,
        `ether[${at}] ${operator} ${mask} != 0`,
      ].map((text) => matchesText(compileText(text, ETHERNET), frame));
      strictEqual(one, other);
    },
  ),
);

testProperty(
  "`vxlan N and X` matches the outer frame where X matches the inner one",
  { runs: 1_500, file: import.meta.url },
  fc.property(
    fc.constantFrom(...LIKELY.vni),
    fc.constantFrom(...LIKELY.vni),
    primitiveArbitrary,
    linkedFrame("ethernet"),
    (wanted, actual, text, frame) => {
      // Lengths on the wire differ; a chain needs headers of known length; and
      // an index below 0 or near 2^32 leads back into the outer headers.
      fc.pre(!/len|less|greater|protochain/.test(text));
      fc.pre(!/\[(?!\d{1,3}[\]:])/.test(text));
      let inner: boolean;
      try {
        inner = matchesText(compileText(text, ETHERNET), frame);
      } catch (error) {
        ok(error instanceof FilterError);
        throws(() => compileText(`vxlan and (${text})`, ETHERNET), FilterError);
        return;
      }
      const outer = vxlanAround(frame, actual);
      const any = compileText(`vxlan and (${text})`, ETHERNET);
      const one = compileText(`vxlan ${wanted} and (${text})`, ETHERNET);
      strictEqual(matchesText(any, outer), inner);
      strictEqual(matchesText(one, outer), inner && wanted === actual);
    },
  ),
);

testProperty(
  "matchesText() looks at nothing outside the packet that it is given",
  { runs: 500, file: import.meta.url },
  fc.property(
    primitiveArbitrary,
    linkedFrame("ethernet"),
    fc.nat(30),
    fc.nat(255),
    (text, frame, before, filler) => {
      let program;
      try {
        program = compileText(text, ETHERNET);
      } catch (error) {
        ok(error instanceof FilterError);
        return;
      }
      const page = new Uint8Array(before + frame.length + 64).fill(filler);
      page.set(frame, before);
      strictEqual(
        matchesText(program, page, before, frame.length),
        matchesText(program, frame),
      );
    },
  ),
);
