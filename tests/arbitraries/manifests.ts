/** Manifests of systems, as people write them. */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import type { ManifestInput } from "../../services/manifest/manifest.ts";

const byte = fc.integer({ min: 0, max: 255 });

/** Addresses of hosts: in 10.0.0.0/8, neither first nor last of their prefix. */
export const interfaceAddress: Arbitrary<string> = fc.integer({
  min: 8,
  max: 30,
}).chain((prefixBits) => {
  const hosts = 2 ** (32 - prefixBits);
  return fc.tuple(
    fc.integer({ min: 0, max: 2 ** (prefixBits - 8) - 1 }),
    fc.integer({ min: 1, max: hosts - 2 }),
  ).map(([network, host]) => {
    const low = network * hosts + host;
    return `10.${(low >>> 16) & 255}.${(low >>> 8) & 255}.${
      low & 255
    }/${prefixBits}`;
  });
});

/** IPv6 addresses of hosts, in their one written form: in fd00::/8, and not a network's first. */
const interfaceAddress6 = fc.tuple(
  fc.integer({ min: 1, max: 0xffff }),
  fc.integer({ min: 1, max: 0xffff }),
  fc.integer({ min: 16, max: 112 }),
).map(([network, host, prefixBits]) =>
  `fd${(network >>> 8).toString(16).padStart(2, "0")}::${
    host.toString(16)
  }/${prefixBits}`
);

const mac = fc.tuple(byte, byte, byte, byte, byte).map((rest) =>
  [2, ...rest].map((n) => n.toString(16).padStart(2, "0")).join(":")
);

const holding = {
  quotaPages: fc.integer({ min: 1, max: 100 }),
  copyBytesMax: fc.integer({ min: 0, max: 4096 }),
  vlan: fc.integer({ min: 1, max: 4094 }),
  limit: fc.oneof(
    fc.record({ packetsPerSecond: fc.integer({ min: 1, max: 1e6 }) }),
    fc.record({
      packetsPerSecond: fc.integer({ min: 1, max: 1e6 }),
      bytesPerSecond: fc.double({ min: 0.1, max: 1e12, noNaN: true }),
    }),
  ),
};

const otherServices = fc.dictionary(
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/),
  fc.record({
    core: fc.constant("udp-echo" as const),
    port: fc.integer({ min: 1, max: 65535 }),
    ...holding,
  }, { requiredKeys: ["core", "port"] }),
  { minKeys: 1, maxKeys: 8 },
).filter((services) =>
  new Set(Object.values(services).map(({ port }) => port)).size ===
    Object.keys(services).length
);

const systems = fc.record({
  nic: fc.constantFrom(
    "emulated",
    "pcap:a b.pcapng",
    "xdp:veth0",
    "xdp:é",
    "wire:lab",
    "wire:a-1,peer,loss=0.01,truncation=1e-7",
    "udp:0.0.0.0:4789,10.0.0.2:1,key=a, b",
    "udp:[::1]:9,[2001:db8::2]:65535,key=/k",
  ),
  address: fc.oneof(
    interfaceAddress,
    fc.uniqueArray(fc.oneof(interfaceAddress, interfaceAddress6), {
      selector: (text) => text.replace(/\/.*/, ""),
      minLength: 2,
      maxLength: 6,
    }).filter((list) => list.some((text) => text.includes("."))),
  ),
  services: otherServices,
  mac,
  unclaimed: fc.constant("drop" as const),
  frames: fc.integer({ min: 1100, max: 262144 }),
  pace: fc.constantFrom("at-once" as const, "recorded" as const),
  write: fc.constantFrom("out.pcap", "/tmp/trace.pcapng"),
  spin: fc.boolean(),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
}, { requiredKeys: ["nic", "address", "services"] });

/** A manifest as it is written, with no mistake in it. */
export const manifestInput: Arbitrary<ManifestInput> = systems.chain(
  (system) => {
    const every = [system.address].flat();
    // Lists in which the first of IPv4 is: a service has one at least.
    const named = fc.shuffledSubarray(every).map((some) => [
      ...new Set([...some, every.find((text) => text.includes("."))!]),
    ]);
    return fc.array(fc.option(named, { nil: undefined }), {
      minLength: 8,
      maxLength: 8,
    }).map((lists) => {
      const services = Object.entries(system.services).map(
        ([name, service], i) => {
          const addresses = lists[i];
          return [
            name,
            addresses === undefined ? service : { ...service, addresses },
          ] as const;
        },
      );
      return { ...system, services: Object.fromEntries(services) };
    });
  },
);
