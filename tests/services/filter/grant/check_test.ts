import assert from "node:assert/strict";
import fc from "fast-check";
import { GrantError } from "../../../../services/filter/grant/grant.ts";
import { checkGrant } from "../../../../services/filter/grant/check.ts";
import { lowerGrant } from "../../../../services/filter/tree/lower.ts";
import { grantArbitrary } from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

testProperty(
  "checkGrant() returns a grant as it is, also after a structured clone",
  { runs: 300, file: import.meta.url },
  fc.property(grantArbitrary, (grant) => {
    assert.deepEqual(checkGrant(structuredClone(grant)), grant);
  }),
);

testProperty(
  "checkGrant() returns a grant or throws a GrantError, whatever it is given",
  { runs: 1500, file: import.meta.url },
  fc.property(
    fc.oneof(
      fc.anything(),
      // A grant with one thing in it replaced.
      fc.tuple(grantArbitrary, fc.nat(), fc.anything()).map(
        ([grant, at, value]) => replaceOne(structuredClone(grant), at, value),
      ),
    ),
    (value) => {
      try {
        const grant = checkGrant(value);
        // What passed can be lowered, and passes again as it is.
        assert(lowerGrant(grant).length > 0);
        assert.deepEqual(checkGrant(grant), grant);
      } catch (error) {
        assert(error instanceof GrantError, `${error}`);
      }
    },
  ),
);

/** Replaces one of the values in `tree`, chosen by `at`. */
function replaceOne(tree: unknown, at: number, value: unknown): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const collect = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    const holder = node as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      collect(holder[key]);
    }
  };
  collect(tree);
  const place = places[at % Math.max(1, places.length)];
  if (place !== undefined) place.holder[place.key] = value;
  return tree;
}

Deno.test("checkGrant() names the field that is wrong", () => {
  const ip = { kind: "ipv4", fragment: "whole" };
  const one = { low: 1, high: 1 };
  const refused: readonly [unknown, string][] = [
    [{}, "grant: expected a list"],
    [[{ port: 7 }], 'grant[0]: unknown field "port"'],
    [[{}, { payload: { kind: "ipx" } }], "grant[1].payload.kind: expected"],
    [[{ payload: { ...ip, dstPort: one } }], "ports with protocol undefined"],
    [
      [{ payload: { ...ip, protocol: 17, fragment: "any", dstPort: one } }],
      'payload.fragment: "any" with ports',
    ],
    [[{ payload: { ...ip, icmpType: 8 } }], "icmpType with protocol undefined"],
    [
      [{ payload: { ...ip, dst: { address: [10, 0, 0], length: 8 } } }],
      "payload.dst.address: expected 4 bytes",
    ],
    [
      [{ payload: { ...ip, dst: { address: [10, 0, 0, 1.5], length: 8 } } }],
      "payload.dst.address[3]: 1.5; expected a whole number from 0 to 255",
    ],
  ];
  for (const [value, message] of refused) {
    assert.throws(
      () => checkGrant(value),
      (error) => error instanceof GrantError && error.message.includes(message),
      message,
    );
  }
});
