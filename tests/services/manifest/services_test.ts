/** What a manifest may say of its services. */

import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  defaultManifest,
  formatManifest,
  parseManifest,
} from "../../../services/manifest/manifest.ts";
import { PLACES } from "../../../services/manifest/place.ts";
import { refusal } from "./manifest_refusal.ts";

Deno.test("parseManifest() refuses services that want the same packets", () => {
  const input = formatManifest(defaultManifest());
  const services = {
    one: { core: "udp-echo" },
    two: { core: "udp-echo", port: 8 },
    three: { core: "udp-echo", port: 7 },
    four: { core: "arp" },
    five: { core: "arp" },
  };
  const error = refusal({ ...input, services });
  deepStrictEqual(error.problems.map(({ path }) => path.join(".")), [
    "services.three.port",
    "services.five.core",
  ]);
  match(error.message, /"one" is udp-echo on port 7 already/);
});

Deno.test("parseManifest() keeps a quarter of the frames out of the quotas", () => {
  const services = { a: { core: "arp", quotaPages: 75 } };
  const input = { nic: "emulated", address: "10.0.0.1/8", services };
  strictEqual(parseManifest({ ...input, frames: 100 }).frames, 100);
  match(
    refusal({ ...input, frames: 99 }).message,
    /^services: expected quotas of at most 74 pages in all .*, got 75$/,
  );
});

Deno.test("parseManifest() takes 64 services and no more, and none with a name that is not plain", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [
      `s${index}`,
      { core: "udp-echo", port: index + 1, quotaPages: 1 },
    ]));
  const input = { nic: "emulated", address: "10.0.0.1/8" };
  strictEqual(
    Object.keys(parseManifest({ ...input, services: many(64) }).services)
      .length,
    64,
  );
  match(
    refusal({ ...input, services: many(65) }).message,
    /at most 64 services, got 65/,
  );
  for (const name of ["A", "a b", "-a", "", "a".repeat(33), "__proto__", "ä"]) {
    const services = JSON.parse(
      `{${JSON.stringify(name)}: {"core": "arp"}, "b": {"core": "icmp-echo"}}`,
    );
    const error = refusal({ ...input, services });
    deepStrictEqual(error.problems.map(({ path }) => path), [[
      "services",
      name,
    ]]);
    match(error.message, /expected a name of at most 32 lower-case letters/);
  }
});

for (
  const [limit, path, message] of [
    [{}, [], /limits nothing$/],
    [{ packetsPerSecond: 0 }, ["packetsPerSecond"], /above 0 .*, got 0$/],
    [{ bytesPerSecond: "1" }, ["bytesPerSecond"], /above 0 .*, got "1"$/],
    [{ bytesPerSecond: 1e13 }, ["bytesPerSecond"], /above 0 .*, got 1/],
  ] as const
) {
  Deno.test(`a rate limit of ${JSON.stringify(limit)} is refused with where and why`, () => {
    const services = { arp: { core: "arp", limit } };
    const input = { ...formatManifest(defaultManifest()), services };
    const [problem, ...more] = refusal(input).problems;
    deepStrictEqual(more, []);
    deepStrictEqual(problem!.path, ["services", "arp", "limit", ...path]);
    ok(message.test(problem!.message), problem!.message);
  });
}

Deno.test("nothing is interposed before a service that is trusted with packet memory", () => {
  const service = { core: "arp", trusted: true };
  const input = (services: object) => ({
    ...formatManifest(defaultManifest()),
    services,
  });
  ok(parseManifest(input({ arp: service })).services.arp!.trusted);
  const posed = { ...service, interpose: [{ count: {} }] };
  const [problem, ...more] = refusal(input({ arp: posed })).problems;
  deepStrictEqual(more, []);
  deepStrictEqual(problem!.path, ["services", "arp", "trusted"]);
  ok(/no `interpose` beside it/.test(problem!.message), problem!.message);
});

Deno.test("a service is in a worker by default, or where its manifest says", () => {
  const placeOf = (fields: object) =>
    parseManifest({
      ...formatManifest(defaultManifest()),
      services: { arp: { core: "arp", ...fields } },
    }).services.arp!.place;
  strictEqual(placeOf({}), "worker");
  for (const place of PLACES) strictEqual(placeOf({ place }), place);
  const services = { arp: { core: "arp", place: "moon" } };
  const input = { ...formatManifest(defaultManifest()), services };
  const [problem, ...more] = refusal(input).problems;
  deepStrictEqual(more, []);
  deepStrictEqual(problem!.path, ["services", "arp", "place"]);
  match(problem!.message, /^expected "worker" or .*, got "moon"$/);
});

Deno.test("a module may be in the driver's thread only where it is trusted, and interposers may be before it", () => {
  const module = { core: "module", path: "a.ts", receives: "udp dst port 53" };
  const input = (fields: object) => ({
    ...formatManifest(defaultManifest()),
    services: { mine: { ...module, place: "driver", ...fields } },
  });
  for (const fields of [{}, { trusted: false }]) {
    const [problem, ...more] = refusal(input(fields)).problems;
    deepStrictEqual(more, []);
    deepStrictEqual(problem!.path, ["services", "mine", "place"]);
    match(problem!.message, /^expected "trusted": true beside "driver"/);
  }
  const trusted = { trusted: true, interpose: [{ count: {} }] };
  strictEqual(parseManifest(input(trusted)).services.mine!.place, "driver");
});

Deno.test("a service can watch others that there are, and nobody else", () => {
  const watching = (...watch: string[]) =>
    defaultManifest({
      services: { arp: { core: "arp", watch }, ping: { core: "icmp-echo" } },
    });
  deepStrictEqual(watching("ping").services["arp"]!.watch, ["ping"]);
  throws(
    () => watching("arp"),
    /services\.arp\.watch: expected names of other/,
  );
  throws(
    () => watching("pong"),
    /expected names of other services, got "pong"/,
  );
});

Deno.test("a service may have a VLAN of its own, from 1 to 4094", () => {
  const vlanOf = (vlan: number) =>
    defaultManifest({ services: { arp: { core: "arp", vlan } } })
      .services["arp"]!.vlan;
  deepStrictEqual([vlanOf(1), vlanOf(4094)], [1, 4094]);
  strictEqual(defaultManifest().services["arp"]!.vlan, undefined);
  for (const vlan of [0, 4095, -1, 1.5, "7", "any", null]) {
    const services = { arp: { core: "arp", vlan } };
    const error = refusal({ ...formatManifest(defaultManifest()), services });
    strictEqual(
      error.message,
      `services.arp.vlan: expected a whole number from 1 to 4094, got ${
        JSON.stringify(vlan)
      }`,
    );
  }
});

Deno.test("services of one protocol want different packets in different VLANs, and the same ones in one", () => {
  const services = {
    one: { core: "arp" },
    two: { core: "arp", vlan: 7 },
    three: { core: "udp-echo", vlan: 7 },
    four: { core: "udp-echo" },
  } as const;
  strictEqual(Object.keys(defaultManifest({ services }).services).length, 4);
  const more = { ...services, five: { core: "udp-echo", vlan: 7 } };
  strictEqual(
    refusal({ ...formatManifest(defaultManifest()), services: more }).message,
    'services.five.port: expected packets that no other service has; "three" is udp-echo on port 7 in VLAN 7 already',
  );
});
