/** Several addresses of one system, as a manifest has them. */

import { deepEqual, equal, throws } from "node:assert/strict";
import {
  defaultManifest,
  formatManifest,
  type ManifestInput,
} from "../../../services/manifest/manifest.ts";
import { formatIpPrefix } from "../../../services/wire/ip_address.ts";

function problemsOf(address: unknown): string[] {
  let lines: string[] = [];
  throws(
    () => defaultManifest({ address } as Partial<ManifestInput>),
    ({ message }: Error) => {
      lines = message.split("\n").filter((line) => line.includes("address"));
      return true;
    },
  );
  return lines;
}

Deno.test("a list of addresses is kept in its order, and the first of IPv4 names the system", () => {
  const address = ["fd00::2/64", "192.0.2.1/24", "10.77.0.2/32", "fe80::1/10"];
  const manifest = defaultManifest({ address });
  deepEqual(manifest.addresses.map(formatIpPrefix), address);
  equal(manifest.address.text, "192.0.2.1/24");
  deepEqual([...manifest.mac], [2, 0x53, 192, 0, 2, 1]);
  deepEqual(formatManifest(manifest).address, address);
  deepEqual(defaultManifest(formatManifest(manifest)), manifest);
});

Deno.test("an address is written in one form, however it was", () => {
  const manifest = defaultManifest({
    address: ["10.0.0.1/8", "FD00:0:0::00AB/64"],
  });
  deepEqual(formatManifest(manifest).address, ["10.0.0.1/8", "fd00::ab/64"]);
});

Deno.test("each address that is wrong is named by its place, with why", () => {
  deepEqual(
    problemsOf([
      "10.77.0.2/24",
      "::ffff:10.0.0.1/96",
      "fe80::1%eth0/64",
      "fd00::2/129",
      7,
      "10.77.0.2/16",
    ]),
    [
      'address.1: expected an address with its prefix, such as 10.77.0.2/24 or fd00::2/64; this is an IPv4 address in IPv6\'s form; write 10.0.0.1, got "::ffff:10.0.0.1/96"',
      'address.2: expected an address with its prefix, such as 10.77.0.2/24 or fd00::2/64; this has a zone (%eth0), which means something on one machine only, got "fe80::1%eth0/64"',
      'address.3: expected an address with its prefix, such as 10.77.0.2/24 or fd00::2/64; this has a prefix of 129 bits; IPv6 has 0 to 128, got "fd00::2/129"',
      "address.4: expected an address with its prefix, such as 10.77.0.2/24, or a list of such, got 7",
      'address.5: expected each address once, got "10.77.0.2/16" again',
    ],
  );
});

Deno.test("no host has such an IPv6 address", () => {
  for (
    const [address, why] of [
      ["::/64", "the unspecified address (::)"],
      ["::1/128", "the loopback address (::1)"],
      ["ff02::1/64", "a multicast address (ff00::/8)"],
      ["fd00::/64", "the routers' anycast address of its /64"],
      ["fd00::1/0", "an address without a network (a prefix of 0 bits)"],
    ] as const
  ) {
    deepEqual(problemsOf([address, "10.77.0.2/24"]), [
      `address.0: expected a host's address; this is ${why}, got "${address}"`,
    ]);
  }
  // RFC 6164: a link between two routers has no anycast address.
  defaultManifest({ address: ["10.77.0.2/24", "fd00::/127"] });
});

Deno.test("a list has from one to sixteen addresses, each once, and one of IPv4", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => `10.77.0.${i + 1}/24`);
  equal(defaultManifest({ address: many(16) }).addresses.length, 16);
  deepEqual(problemsOf(many(17)), [
    "address: expected 1 to 16 addresses, got 17",
  ]);
  deepEqual(problemsOf([]), ["address: expected 1 to 16 addresses, got 0"]);
  deepEqual(problemsOf(["10.77.0.2/24", "fd00::2/64", "10.77.0.2/16"]), [
    'address.2: expected each address once, got "10.77.0.2/16" again',
  ]);
  for (const alone of ["fd00::2/64", ["fd00::2/64", "fd00::3/64"]]) {
    deepEqual(problemsOf(alone), [
      "address: expected an IPv4 address, or one among them, got IPv6 alone",
    ]);
  }
});
