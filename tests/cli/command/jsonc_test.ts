import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseJsonc } from "../../../cli/command/jsonc.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

testProperty(
  "what is JSON means the same, however it is laid out",
  { runs: 200, file },
  fc.property(
    fc.json(),
    fc.nat({ max: 4 }),
    (text, indent) => {
      const value = JSON.parse(text);
      deepStrictEqual(parseJsonc(text), value);
      deepStrictEqual(parseJsonc(JSON.stringify(value, null, indent)), value);
    },
  ),
);

testProperty(
  "comments between tokens, and commas after the last item, change nothing",
  { runs: 200, file },
  fc.property(
    fc.json(),
    fc.constantFrom('/* , ] } " */', '// , ] } "\n', "/**/", "//\r\n"),
    (text, comment) => {
      const value = JSON.parse(text);
      const lines = JSON.stringify(value, null, 1)
        .replace(/([^[{,])(\n *[\]}])/g, "$1,$2")
        .split("\n").join(`${comment}\n`);
      deepStrictEqual(parseJsonc(`${comment}${lines}${comment}`), value);
    },
  ),
);

testProperty(
  "what cannot be read is refused in one sentence, and nothing else comes of it",
  { runs: 500, file },
  fc.property(
    fc.oneof(
      fc.string({ unit: fc.constantFrom(...'{}[]:,"/*\\\n 1ae') }),
      fc.json().chain((text) =>
        fc.nat({ max: text.length }).map((at) => text.slice(0, at))
      ),
    ),
    (text) => {
      try {
        parseJsonc(text);
      } catch (error) {
        strictEqual((error as Error).name, "SyntaxError");
        const { message } = error as Error;
        strictEqual(/, line \d+, column \d+$/.test(message), true, message);
      }
    },
  ),
);

Deno.test("what is wrong is said, with its line and column", () => {
  const cases: [text: string, message: string][] = [
    ['{\n  "nic" "xdp"\n}', 'unexpected "xdp", line 2, column 9'],
    ["{'nic': 1}", "unexpected 'nic', line 1, column 2"],
    ['{\r\n"a": tru}', "unexpected tru, line 2, column 6"],
    ['// nothing\n{"a": [1, 2', "it ends too early, line 2, column 12"],
    ["", "it ends too early, line 1, column 1"],
    ["{} 2", "unexpected 2, line 1, column 4"],
    ["[".repeat(100_000), "it is nested too deeply"],
  ];
  for (const [text, message] of cases) {
    throws(() => parseJsonc(text), { name: "SyntaxError", message });
  }
});

testProperty(
  "a name that an object has twice is refused with both places, wherever the object is and however it is written",
  { runs: 300, file },
  fc.property(
    fc.json(),
    fc.string(),
    fc.constantFrom("", ' "x": {"y": 1}, ', ' "x": ["y:", "}"], /* " */ '),
    fc.boolean(),
    fc.boolean(),
    (inner, name, between, escaped, nested) => {
      const plain = JSON.stringify(name);
      const other = escaped
        ? `"${
          [...name].map((unit) =>
            [...Array(unit.length)].map((_, at) =>
              `\\u${unit.charCodeAt(at).toString(16).padStart(4, "0")}`
            ).join("")
          ).join("")
        }"`
        : plain;
      const object = `{${plain}: ${inner},${between}${other}: 0}`;
      const text = nested ? `{"a": [1, ${object}]}` : object;
      throws(
        () => parseJsonc(text),
        /is there twice, line \d+, column \d+ and line \d+, column \d+; /,
      );
    },
  ),
);

Deno.test("a name that comes twice is said with both lines and columns, and is free in another object", () => {
  throws(
    () =>
      parseJsonc(
        '{\n  "services": {\n    "arp": {"core": "arp"}, // "arp": 1\n    "echo": {},\n    "arp": {}\n  }\n}',
      ),
    {
      message:
        'the name "arp" is there twice, line 3, column 5 and line 5, column 5; leave one out, or rename it',
    },
  );
  deepStrictEqual(
    parseJsonc(
      '{"a": {"a": ["a", "a"]}, "b": [{"a": 1}, {"a": 2}], "c": "a:"}',
    ),
    { a: { a: ["a", "a"] }, b: [{ a: 1 }, { a: 2 }], c: "a:" },
  );
});
