/** Whom a manifest lets its services ask. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { PORTS_MAX } from "../../../services/core/ports.ts";
import {
  defaultManifest,
  formatManifest,
} from "../../../services/manifest/manifest.ts";
import { testProperty } from "../../property.ts";
import { refusal } from "./manifest_refusal.ts";

/** Services, each with its ports: cores are UDP echoes at ports of their own. */
function servicesOf(ports: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(ports).map(([name, ports], i) => [
      name,
      { core: "udp-echo" as const, port: 1 + i, ports } as {
        core: "udp-echo";
        port: number;
        ports: Record<string, string>;
      },
    ]),
  );
}

function saidOf(ports: Readonly<Record<string, unknown>>): string[] {
  const services = servicesOf(ports);
  const { problems } = refusal({
    ...formatManifest(defaultManifest()),
    services,
  });
  return problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

Deno.test("a service may be let ask others, which stay as they are written", () => {
  const services = servicesOf({ a: { x: "b", y: "c" }, b: { x: "c" }, c: {} });
  const manifest = defaultManifest({ services });
  deepStrictEqual(manifest.services["a"]!.ports, { x: "b", y: "c" });
  deepStrictEqual(manifest.services["c"]!.ports, {});
  strictEqual(defaultManifest().services["arp"]!.ports, undefined);
});

Deno.test("ports to nobody, of no name, or too many are refused in words", () => {
  deepStrictEqual(saidOf({ a: { x: "bb" }, b: {} }), [
    'services.a.ports.x: expected the name of a service, got "bb"',
  ]);
  deepStrictEqual(saidOf({ a: { x: "toString" } }), [
    'services.a.ports.x: expected the name of a service, got "toString"',
  ]);
  deepStrictEqual(saidOf({ a: { x: 7 } }), [
    "services.a.ports.x: expected the name of a service, got 7",
  ]);
  deepStrictEqual(saidOf({ a: ["b"], b: {} }), [
    'services.a.ports: expected ports such as {"resolver": "arp"}, got a list of 1',
  ]);
  deepStrictEqual(saidOf({ a: { "Two words": "b" }, b: {} }), [
    'services.a.ports.Two words: expected a name of up to 32 of a-z, 0-9, "." and "-", a letter first, got "Two words"',
  ]);
  const many = Object.fromEntries(
    Array.from({ length: PORTS_MAX + 1 }, (_, i) => [`p${i}`, "b"]),
  );
  deepStrictEqual(saidOf({ a: many, b: {} }), [
    `services.a.ports: expected at most ${PORTS_MAX} ports, got an object`,
  ]);
});

Deno.test("ports that lead back to who asks are refused, and the way is shown", () => {
  deepStrictEqual(saidOf({ a: { x: "a" } }), [
    'services.a.ports.x: expected a service that asks nothing of this one, itself or through others, got "a": a -> a',
  ]);
  const [first, ...others] = saidOf({
    a: { x: "b" },
    b: { y: "c" },
    c: { z: "a" },
  });
  strictEqual(
    first,
    'services.a.ports.x: expected a service that asks nothing of this one, itself or through others, got "b": a -> b -> c -> a',
  );
  strictEqual(others.length, 2);
});

testProperty(
  "ports are taken if and only if the services can be put in an order in which each asks later ones alone",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 }),
    (edges) => {
      const names = ["a", "b", "c", "d", "e", "f"];
      const ports: Record<string, Record<string, string>> = {};
      for (const name of names) ports[name] = {};
      edges.forEach(([from, to], i) => {
        ports[names[from]!]![`p${i}`] = names[to]!;
      });
      // Whoever asks nobody that is left goes, until nobody does.
      const left = new Set(names);
      for (let before = -1; before !== left.size;) {
        before = left.size;
        for (const name of left) {
          const asks = Object.values(ports[name]!);
          if (!asks.some((one) => left.has(one))) left.delete(name);
        }
      }
      if (left.size === 0) {
        defaultManifest({ services: servicesOf(ports) });
      } else {
        const problems = saidOf(ports);
        strictEqual(problems.every((one) => one.includes(" -> ")), true);
        strictEqual(problems.length > 0, true);
      }
    },
  ),
);
