/** A service that has some of its system's addresses. */

import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { ServiceDefinition } from "../../../services/core/definition.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { answersTo } from "../../../services/loader/envelope.ts";
import { GrantError } from "../../../services/filter/grant/grant.ts";
import { grant } from "../../../services/filter/grant/text/grant_text.ts";
import { CORES } from "../../../services/manifest/cores.ts";
import {
  defaultManifest,
  formatManifest,
  type Manifest,
  type ServiceManifest,
} from "../../../services/manifest/manifest.ts";
import { settingsOf } from "../../../services/manifest/settings.ts";
import {
  formatIpPrefix,
  ipAddressBytes,
} from "../../../services/wire/ip_address.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { testProperty } from "../../property.ts";
import { refusal } from "./manifest_refusal.ts";

const file = import.meta.url;

const ADDRESSES = [
  "10.77.0.2/24",
  "fd00::2/64",
  "192.0.2.9/25",
  "2001:db8::7/48",
  "198.51.100.1/32",
];

const NIC = { mtu: 1500, offloads: 0 };

/** The manifest of a system whose one service names `addresses`. */
function naming(addresses: unknown, address: unknown = ADDRESSES) {
  const services = { one: { core: "udp-echo", addresses } };
  return { ...formatManifest(defaultManifest()), address, services };
}

function problemsOf(addresses: unknown): string[] {
  return refusal(naming(addresses)).message.split("\n");
}

/** Indices into {@link ADDRESSES} in any order, one of IPv4 among them. */
const some = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 })
  .filter((picks) => picks.some((pick) => pick % 2 === 0));

testProperty(
  "a service has the addresses that it names, with their prefixes or without, and its manifest is written so",
  { runs: 200, file },
  fc.property(some, fc.array(fc.boolean(), { minLength: 5 }), (picks, bare) => {
    const whole = picks.map((pick) => ADDRESSES[pick]!);
    const written = whole.map((text, i) =>
      bare[i]! ? text.replace(/\/.*/, "") : text
    );
    const manifest = defaultManifest(naming(written) as never);
    const own = manifest.services["one"]!.addresses!;
    deepEqual(own.map(formatIpPrefix), whole);
    const again = JSON.parse(JSON.stringify(formatManifest(manifest)));
    deepEqual(again.services.one.addresses, whole);
    deepEqual(defaultManifest(again), manifest);
  }),
);

/** What a service of `core` gets and sends, as its settings say. */
function grantsOf(manifest: Manifest, service: ServiceManifest) {
  const { definition } = CORES.find(({ name }) => name === service.core)!;
  const { receives, sends } = definition as ServiceDefinition;
  const settings = settingsOf(manifest, service, NIC);
  return [receives(settings), sends(settings)];
}

for (const core of ["arp", "icmp-echo", "udp-echo"] as const) {
  testProperty(
    `${core} with some of the system's addresses wants what a system of these alone wants`,
    { runs: 50, file },
    fc.property(
      some.chain((picks) => {
        const own = picks.map((pick) => ADDRESSES[pick]!);
        const named = { [core]: { core, addresses: own } };
        const manifest = defaultManifest({
          address: ADDRESSES,
          services: named,
        });
        const alone = defaultManifest({
          address: own,
          mac: formatManifest(manifest).mac,
          services: { [core]: { core } },
        });
        const every = defaultManifest({
          address: ADDRESSES,
          services: { [core]: { core } },
        });
        const [got, expected, all] = [manifest, alone, every].map((one) =>
          grantsOf(one, one.services[core]!)
        );
        return fc.tuple(
          fc.constant([got!, expected!] as const),
          framesFor(all!),
        );
      }),
      ([[got, expected], frame]) => {
        for (const way of [0, 1]) {
          equal(
            matches(got[way]!, frame, 0, frame.length),
            matches(expected[way]!, frame, 0, frame.length),
          );
        }
      },
    ),
  );
}

testProperty(
  "what a module answers by default comes from an address that it names, of both versions",
  { runs: 100, file },
  fc.property(
    some,
    fc.constantFrom("ip", "ip6", "udp port 53"),
    (picks, text) => {
      const own = picks.map((pick) => ADDRESSES[pick]!);
      const manifest = defaultManifest(naming(own) as never);
      const settings = settingsOf(manifest, manifest.services["one"]!, NIC);
      const addresses = settings.addresses!;
      if (!addresses.some(({ address }) => takes(text, address.version))) {
        throws(() => answersTo(grant(text), settings), GrantError);
        return;
      }
      const sources = answersTo(grant(text), settings).map(({ payload }) =>
        payload?.kind === "ipv4" || payload?.kind === "ipv6"
          ? payload.src!.address.join()
          : undefined
      );
      const expected = addresses.map(({ address }) => address)
        .filter(({ version }) => takes(text, version))
        .map((address) => ipAddressBytes(address).join());
      deepEqual([...new Set(sources)].sort(), expected.sort());
    },
  ),
);

const at = (i: number) => `services.one.addresses.${i}`;

function takes(text: string, version: 4 | 6): boolean {
  return text === "ip" ? version === 4 : text !== "ip6" || version === 6;
}

Deno.test("each address that is wrong is named by its place, with why", () => {
  const form =
    "expected an address of its system's, such as 10.77.0.2 or fd00::2";
  deepEqual(
    problemsOf([
      "::ffff:10.77.0.2",
      "fe80::1%eth0",
      "fd00::2/129",
      "10.77.0.2/33",
      "10.77.0.02",
      "10.77.0.2/",
      "",
      "localhost",
      7,
      null,
      ["10.77.0.2"],
    ]),
    [
      `${
        at(0)
      }: ${form}; this is an IPv4 address in IPv6's form; write 10.77.0.2, got "::ffff:10.77.0.2"`,
      `${
        at(1)
      }: ${form}; this has a zone (%eth0), which means something on one machine only, got "fe80::1%eth0"`,
      `${
        at(2)
      }: ${form}; this has a prefix of 129 bits; IPv6 has 0 to 128, got "fd00::2/129"`,
      `${
        at(3)
      }: ${form}; this has a prefix of 33 bits; IPv4 has 0 to 32, got "10.77.0.2/33"`,
      `${at(4)}: ${form}; this is no IPv4 or IPv6 address, got "10.77.0.02"`,
      `${
        at(5)
      }: ${form}; this has a prefix of  bits; IPv4 has 0 to 32, got "10.77.0.2/"`,
      `${at(6)}: ${form}; this is no IPv4 or IPv6 address, got ""`,
      `${at(7)}: ${form}; this is no IPv4 or IPv6 address, got "localhost"`,
      `${at(8)}: ${form}, got 7`,
      `${at(9)}: ${form}, got null`,
      `${at(10)}: ${form}, got a list of 1`,
    ],
  );
});

Deno.test("an address that its system has not, or has otherwise, is refused with what to do", () => {
  const known = ADDRESSES.join(", ");
  deepEqual(
    problemsOf([
      "10.77.0.3",
      "fd00::3/64",
      "10.77.0.2/16",
      "fd00::2/128",
      "192.0.2.9",
      "FD00:0::2/64",
      "192.0.2.9/25",
    ]),
    [
      `${
        at(0)
      }: expected an address of its system's (${known}), got 10.77.0.3; give it to the system too ("address"), or leave it out here`,
      `${
        at(1)
      }: expected an address of its system's (${known}), got fd00::3; give it to the system too ("address"), or leave it out here`,
      `${
        at(2)
      }: expected its system's prefix, 10.77.0.2/24, or none, got 10.77.0.2/16`,
      `${
        at(3)
      }: expected its system's prefix, fd00::2/64, or none, got fd00::2/128`,
      `${at(5)}: expected each address once, got fd00::2 again`,
      `${at(6)}: expected each address once, got 192.0.2.9 again`,
    ],
  );
});

Deno.test("a list of a service's addresses has from one to sixteen, and one of IPv4", () => {
  const path = "services.one.addresses";
  const list = "expected a list of 1 to 16 of its system's addresses";
  deepEqual(problemsOf([]), [`${path}: ${list}, got a list of 0`]);
  deepEqual(problemsOf(Array(17).fill("10.77.0.2")), [
    `${path}: ${list}, got a list of 17`,
  ]);
  for (const text of ["10.77.0.2", "", null, 7, {}]) {
    const [problem, ...more] = problemsOf(text);
    deepEqual(more, []);
    equal(problem!.startsWith(`${path}: ${list}, got `), true, problem);
  }
  deepEqual(problemsOf(["fd00::2", "2001:db8::7"]), [
    `${path}: expected an IPv4 address among them, got IPv6 alone`,
  ]);
  const most = Array.from({ length: 16 }, (_, i) => `10.77.0.${i + 1}/24`);
  const { services } = defaultManifest(naming(most, most) as never);
  equal(services["one"]!.addresses!.length, 16);
});

Deno.test("who writes the system's field in a service, or the other way round, is told the right one", () => {
  const system = formatManifest(defaultManifest());
  const services = { one: { core: "arp", address: ["10.77.0.2"] } };
  deepEqual(
    refusal({ ...system, services }).message,
    "services.one.address: unknown field; did you mean addresses?",
  );
  deepEqual(
    refusal({ ...system, addresses: ["10.77.0.2/24"] }).message,
    "addresses: unknown field; did you mean address?",
  );
});

Deno.test("services of one protocol want the same packets where they have an address together", () => {
  const [a, , b] = ADDRESSES.map((text) => text.replace(/\/.*/, ""));
  const read = (services: Record<string, unknown>) =>
    Object.keys(
      defaultManifest({ address: ADDRESSES, services } as never).services,
    ).length;
  for (const core of ["arp", "icmp-echo", "udp-echo"]) {
    const one = { core, addresses: [a] };
    equal(read({ one, two: { core, addresses: [b] } }), 2);
    const where = core === "udp-echo" ? "port" : "core";
    const on = core === "udp-echo" ? " on port 7" : "";
    for (const addresses of [[b, a], undefined]) {
      const services = { one, two: { core, addresses } };
      const input = formatManifest(defaultManifest());
      deepEqual(
        refusal({ ...input, address: ADDRESSES, services }).message,
        `services.two.${where}: expected packets that no other service has; "one" is ${core}${on} already`,
      );
    }
  }
});
