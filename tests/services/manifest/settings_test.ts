/** What a service is told of itself, of the system, and of the NIC. */

import { deepEqual } from "node:assert/strict";
import { OFFLOAD_CHECKSUM } from "../../../caps/port/offload.ts";
import {
  parseManifest,
  type ServiceManifest,
} from "../../../services/manifest/manifest.ts";
import { settingsOf } from "../../../services/manifest/settings.ts";

Deno.test("a service that names some of its system's addresses is told of these, the first of IPv4 its own", () => {
  const manifest = parseManifest({
    nic: "emulated",
    address: ["10.77.0.2/24", "fd00::2/64", "192.0.2.9/25"],
    services: {
      echo: { core: "udp-echo", addresses: ["fd00::2", "192.0.2.9"] },
      own: {
        core: "module",
        path: "/m.js",
        receives: "udp dst port 53",
        addresses: ["10.77.0.2/24"],
      },
      arp: { core: "arp" },
    },
  });
  const { echo, own, arp } = manifest.services;
  const told = (service: ServiceManifest) =>
    settingsOf(manifest, service, { mtu: 1500, offloads: 0 });
  const [first, ipv6, last] = manifest.addresses;
  deepEqual(told(echo!).addresses, [ipv6, last]);
  deepEqual(told(echo!).address, 0xc0000209);
  deepEqual(told(echo!).prefixBits, 25);
  deepEqual(told(own!).addresses, [first]);
  deepEqual(told(own!).address, 0x0a4d0002);
  deepEqual(told(arp!).addresses, [first, ipv6, last]);
});

Deno.test("a service is told the system's addresses, what the NIC takes, and its own fields, and nothing of what it may hold", () => {
  const manifest = parseManifest({
    nic: "emulated",
    address: ["10.77.0.2/24", "fd00::2/64"],
    services: {
      echo: { core: "udp-echo", port: 9, quotaPages: 3, vlan: 5 },
      own: { core: "module", path: "/m.js", receives: "udp dst port 53" },
    },
  });
  const nic = { mtu: 1280, offloads: OFFLOAD_CHECKSUM };
  const common = {
    address: 0x0a4d0002,
    prefixBits: 24,
    addresses: [
      { address: { version: 4, value: 0x0a4d0002n }, prefixBits: 24 },
      { address: { version: 6, value: 0xfd00n << 112n | 2n }, prefixBits: 64 },
    ],
    mac: manifest.mac,
    ...nic,
  };
  const { echo, own } = manifest.services;
  deepEqual(settingsOf(manifest, echo!, nic), { ...common, port: 9, vlan: 5 });
  deepEqual(settingsOf(manifest, own!, nic), common);
});
