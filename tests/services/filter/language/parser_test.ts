import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { FilterError } from "../../../../services/filter/language/error.ts";
import {
  NESTING_MAX,
  TEXT_LENGTH_MAX,
  VALUE_DEPTH_MAX,
} from "../../../../services/filter/language/limits.ts";
import { parse } from "../../../../services/filter/language/parser.ts";
import { printTree } from "../../../../services/filter/language/print.ts";
import { testProperty } from "../../../property.ts";

/** The tree in words, columns left out. */
function shape(text: string): string[] {
  return printTree(parse(text)).replace(/ {2}# column \d+/g, "").trimEnd()
    .split("\n");
}

function refusal(text: string): FilterError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`parse() took ${JSON.stringify(text)}`);
}

Deno.test("parse() gives `and` and `or` one precedence, grouping to the left", () => {
  deepStrictEqual(shape("ip or arp and tcp or udp"), [
    "or",
    "  and",
    "    or",
    "      ip",
    "      arp",
    "    tcp",
    "  udp",
  ]);
});

Deno.test("parse() has `not` bind to one primitive", () => {
  deepStrictEqual(shape("not ip and ! arp"), [
    "and",
    "  not",
    "    ip",
    "  not",
    "    arp",
  ]);
});

Deno.test("parse() gives a bare identifier the qualifiers before it", () => {
  deepStrictEqual(shape("tcp src port 53 or 80 and not (81 or 82)"), [
    "and",
    "  or",
    "    tcp src port 53",
    "    tcp src port 80",
    "  not",
    "    or",
    "      tcp src port 81",
    "      tcp src port 82",
  ]);
});

Deno.test("parse() gives an identifier after a parenthesis what stood before it", () => {
  deepStrictEqual(shape("port 1 or (udp or arp) or 2"), [
    "or",
    "  port 1",
    "  or",
    "    udp",
    "    arp",
    "  port 2",
  ]);
  strictEqual(refusal("(port 1) or 2").column, 13);
});

Deno.test("parse() tells numbers, arithmetic and filters in parentheses apart", () => {
  deepStrictEqual(shape("port (80) or (5) = len or (ip[2:2] + 1) * 2 > (3)"), [
    "or",
    "  port 80",
    "  5 = len",
    "  ((ip[2:2] + 1) * 2) > 3",
  ]);
});

Deno.test("parse() gives `%` and `^` all that follows, as libpcap's grammar does", () => {
  deepStrictEqual(shape("1 * 2 % 3 + 4 | 5 ^ 6 & 7 = 0"), [
    "(1 * (2 % ((3 + 4) | (5 ^ (6 & 7))))) = 0",
  ]);
  deepStrictEqual(shape("1 + 2 * 3 - 4 = 0"), ["((1 + (2 * 3)) - 4) = 0"]);
  deepStrictEqual(shape("- 1 + 2 << 3 & 4 = 0"), ["(((-1 + 2) << 3) & 4) = 0"]);
});

Deno.test("parse() cuts words as libpcap's scanner does", () => {
  deepStrictEqual(shape("portrange 1-2"), ["portrange 1-2"]);
  deepStrictEqual(shape("ether host 112233445566 or 1.2.3.4.5.6"), [
    "or",
    "  link host 112233445566",
    "  link host 1.2.3.4.5.6",
  ]);
  deepStrictEqual(shape("net 10.1/16&&!net 1::2.3.4.5/128"), [
    "and",
    "  net 10.1/16",
    "  not",
    "    net 1::2.3.4.5/128",
  ]);
  deepStrictEqual(shape("ether proto \\arp"), ["link proto arp"]);
  deepStrictEqual(shape("byte 0x1f > 010"), ["byte 31 > 8"]);
});

Deno.test("parse() takes the empty text for every packet", () => {
  deepStrictEqual(shape(" \n\t"), ["everything"]);
});

const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ["tcp 80", 5, /`and`, `or` or the end/],
  ["host", 5, /the end here; expected an address/],
  ["port and", 6, /a port's number or name/],
  ["ip and", 7, /expected a primitive/],
  ["ip[0", 5, /expected `\]`/],
  ["ip[0:3] = 1", 6, /3 bytes at once; expected 1, 2 or 4/],
  ["ip[0] + ", 9, /expected a number/],
  ["len", 4, /expected a comparison/],
  ["10.0.0.1", 1, /`host`, `net` or `port` before 10\.0\.0\.1/],
  ["(ip or arp", 11, /expected `\)`/],
  ["ip # comment", 4, /"#" has no meaning here/],
  ["vpi 1", 1, /`vpi` is for ATM/],
  ["type mgt", 1, /`type` is for IEEE 802\.11/],
  ["ifname eth0", 1, /`ifname` is for the OpenBSD packet filter/],
  ["less ip", 6, /expected a length/],
  ["byte 0 + 1", 8, /`=`, `<`, `>`, `&` or `\|`/],
  ["src or host 1.2.3.4", 8, /expected `dst`/],
  ["net 10.0.0.0 mask 8", 19, /an IPv4 mask/],
  ["port 4294967296", 6, /4294967296 is too large/],
  ["port 08", 6, /octal/],
  ["ether host 1:2:3:", 12, /not an address/],
  ["arcnet or $1f", 1, /cannot read `arcnet`/],
  ["ether host $1f", 12, /ARCnet/],
  ["ip and\n  arp or\n  80", 19, /no qualifiers to take over/],
  ["port ((53 or 80))", 7, /a second parenthesis around identifiers/],
  ["1 = 2 = 3", 7, /`and`, `or` or the end/],
];

for (const [text, column, message] of REFUSED) {
  Deno.test(`parse() refuses ${JSON.stringify(text)} at column ${column}`, () => {
    const error = refusal(text);
    match(error.message, message);
    strictEqual(error.column, column);
  });
}

Deno.test("a FilterError's caret stands under its column, on its line", () => {
  deepStrictEqual(
    refusal("ip and\n  arp or\n  80").message.split("\n").slice(1),
    [
      "    80",
      "    ^",
    ],
  );
  const far = refusal(`ip or ${"arp or ".repeat(30)}oops`);
  const [, line, caret] = far.message.split("\n");
  strictEqual(line!.slice(caret!.indexOf("^")), "oops");
  strictEqual(line!.length < 100, true);
});

Deno.test("parse() refuses what is beyond its limits, and says the limit", () => {
  const deep = (n: number) => "(".repeat(n) + "ip" + ")".repeat(n);
  parse(deep(NESTING_MAX));
  for (
    const text of [
      deep(NESTING_MAX + 1),
      deep(10_000),
      "not ".repeat(10_000) + "ip",
      "- ".repeat(10_000) + "1 = 1",
      "ip[".repeat(10_000),
      "1 % ".repeat(10_000) + "1 = 1",
    ]
  ) {
    match(refusal(text).message, /nested too deeply; expected at most 256/);
  }
  const sum = (n: number) => `len ${"+ 1 ".repeat(n)} = 1`;
  parse(sum(VALUE_DEPTH_MAX - 1));
  match(refusal(sum(VALUE_DEPTH_MAX)).message, /at most 512/);
  parse(" ".repeat(TEXT_LENGTH_MAX));
  match(
    refusal(" ".repeat(TEXT_LENGTH_MAX + 1)).message,
    /4194305 characters; expected at most 4194304/,
  );
});

Deno.test("a FilterError is short, whatever the text", () => {
  for (
    const text of ["x".repeat(100_000), "a:".repeat(50_000), "1.".repeat(9)]
  ) {
    strictEqual(refusal(text).message.length < 600, true);
  }
});

testProperty(
  "parse() answers any text with a tree or a FilterError in it",
  { runs: 2_000, file: import.meta.url },
  fc.property(
    fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(
        fc.constantFrom(
          ..."( ) [ ] : ! = < ip port 80 and or not - / . ::".split(" "),
        ),
        { maxLength: 30 },
      ).map((parts) => parts.join("")),
    ),
    (text) => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        const inside = error.column >= 1 && error.column <= text.length + 1;
        strictEqual(inside, true, `column ${error.column}`);
      }
    },
  ),
);

Deno.test("parse() leaves no error of another kind for a lone surrogate", () => {
  throws(() => parse("\ud800"), FilterError);
});
