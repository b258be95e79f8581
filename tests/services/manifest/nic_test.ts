/** Names of NICs: what is no name of an interface is refused with why, and never reaches the kernel. */

import { deepStrictEqual, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { type NicChoice, NICS } from "../../../services/manifest/nic/nics.ts";
import { testProperty } from "../../property.ts";

const INTERFACES = ["xdp", "packet", "tap", "tun"] as const;

const REFUSED: readonly (readonly [name: string, why: RegExp])[] = [
  ["", /name is missing$/],
  ["../x", /no spaces, slashes, colons or control characters$/],
  ["a/b", /slashes/],
  ["a:b", /colons/],
  ["a b", /spaces/],
  ["\u00a0x", /spaces/],
  ["a\tb", /control characters/],
  ["a\x1b[2J", /control characters/],
  ["a\0", /control characters/],
  ["\u200b", /control characters/],
  [".", /no interface can be named "\."/],
  ["..", /no interface can be named "\.\."/],
  ["0123456789abcdef", /at most 15 bytes$/],
  ["éééééééé", /at most 15 bytes$/],
];

/** What the kernel would make something else of, or nothing, where the interface is new. */
const REFUSED_NEW: readonly (readonly [name: string, why: RegExp])[] = [
  ["sp%d", /percent sign$/],
  ["%", /percent sign$/],
  ["all", /no interface named "all"$/],
  ["default", /no interface named "default"$/],
];

for (const kind of INTERFACES) {
  Deno.test(`${kind}: odd names are refused with what is wrong with them`, () => {
    const isNew = kind === "tap" || kind === "tun";
    for (const [name, why] of [...REFUSED, ...(isNew ? REFUSED_NEW : [])]) {
      const read = NICS.read(`${kind}:${name}`);
      ok("problem" in read, JSON.stringify(name));
      match(read.problem, new RegExp(`^expected ${kind}:\\w+; `));
      match(read.problem, why);
    }
    ok("problem" in NICS.read(kind));
  });
}

for (const kind of ["tap", "tun"] as const) {
  Deno.test(`${kind}: has the queues that are asked for, up to as many as Linux has`, () => {
    for (const queues of [1, 4, 256]) {
      const text = `${kind}:sp0,queues=${queues}`;
      const nic = NICS.read(text);
      deepStrictEqual(nic, { kind, interfaceName: "sp0", queues });
      deepStrictEqual(NICS.format(nic as NicChoice), text);
    }
    for (const queues of ["", "0", "257", "1000", "-1", "1.5", "2,", " 2"]) {
      const read = NICS.read(`${kind}:sp0,queues=${queues}`);
      ok("problem" in read, queues);
      match(read.problem, /; there are 1 to 256 queues$/);
    }
  });
}

testProperty(
  "what is read as an interface's name is one to Linux, and is written as it was read",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.constantFrom(...INTERFACES),
    fc.oneof(
      fc.string({ maxLength: 17 }),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.stringMatching(/^[a-z0-9.%:\/ -]{0,17}$/),
    ),
    (kind, name) => {
      const nic = NICS.read(`${kind}:${name}`);
      if ("problem" in nic) return;
      deepStrictEqual(nic, { kind, interfaceName: name });
      deepStrictEqual(NICS.format(nic), `${kind}:${name}`);
      const bytes = new TextEncoder().encode(name);
      ok(bytes.length >= 1 && bytes.length <= 15);
      // dev_valid_name() in net/core/dev.c: no slash, colon or isspace().
      ok(!bytes.some((byte) => [0x2f, 0x3a, 0x20].includes(byte) || byte < 32));
    },
  ),
);
