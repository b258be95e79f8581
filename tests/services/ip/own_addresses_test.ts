/** A host with several addresses is to each of them what a host of that one is. */

import { unconnectedPorts } from "../../../services/core/ports.ts";
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { arpService } from "../../../services/arp/service.ts";
import type {
  ServiceDefinition,
  ServiceSettings,
} from "../../../services/core/definition.ts";
import { icmpEchoService } from "../../../services/icmp-echo/service.ts";
import { ownIpv4 } from "../../../services/ip/own_addresses.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { udpEchoService } from "../../../services/udp-echo/service.ts";
import { ARP_REQUEST } from "../../../services/wire/arp.ts";
import { parseIpPrefix } from "../../../services/wire/ip_address.ts";
import {
  buildArp,
  buildIcmp,
  buildUdp,
  type FrameBytes,
} from "../../arbitraries/frames.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { testProperty } from "../../property.ts";
import {
  ethernetToUs,
  NEIGHBOUR,
  OWN,
  plainHeader,
  receiveOne,
} from "../core/core_harness.ts";

const file = import.meta.url;

const ADDRESSES = [
  "10.77.0.2/24",
  "fd00::2/64",
  "192.0.2.130/25",
  "10.9.8.7/32",
]
  .map((text) => {
    const prefix = parseIpPrefix(text);
    if (typeof prefix === "string") throw new Error(prefix);
    return prefix;
  });

const SEVERAL: ServiceSettings = {
  ...OWN,
  prefixBits: 24,
  addresses: ADDRESSES,
};

/** Hosts that have one of them each. */
const SINGLE: readonly ServiceSettings[] = ownIpv4(SEVERAL).map((own) => ({
  mac: OWN.mac,
  ...own,
}));

const FOREIGN = 0x0a4d0009;

/** A question from `source` to `target`, by protocol. */
const QUESTIONS: Readonly<
  Record<
    string,
    {
      service: ServiceDefinition;
      ask(source: number, target: number): FrameBytes;
    }
  >
> = {
  arp: {
    service: arpService,
    ask: (senderAddress, targetAddress) =>
      buildArp(ethernetToUs(0x0806), {
        operation: ARP_REQUEST,
        senderMac: NEIGHBOUR.mac,
        senderAddress,
        targetMac: new Uint8Array(6),
        targetAddress,
      }),
  },
  "icmp-echo": {
    service: icmpEchoService,
    ask: (source, destination) =>
      buildIcmp(ethernetToUs(0x0800), plainHeader(1, source, destination), {
        kind: "echo-request",
        identifier: 1,
        sequence: 2,
        payload: new Uint8Array(9),
      }),
  },
  "udp-echo": {
    service: udpEchoService,
    ask: (source, destination) =>
      buildUdp(ethernetToUs(0x0800), plainHeader(17, source, destination), {
        sourcePort: 4000,
        destinationPort: 7,
        checksummed: true,
        payload: new Uint8Array(9),
      }),
  },
};

for (const [name, { service, ask }] of Object.entries(QUESTIONS)) {
  Deno.test(`${name} answers for each address as a host of that one does, from it, and for no other`, () => {
    const core = service.make(SEVERAL, unconnectedPorts());
    for (const single of SINGLE) {
      const question = ask(NEIGHBOUR.address, single.address);
      const expected = receiveOne(
        service.make(single, unconnectedPorts()),
        question,
      );
      equal(expected.verdict, "reply");
      deepEqual(receiveOne(core, question), expected);
    }
    const { verdict } = receiveOne(core, ask(NEIGHBOUR.address, FOREIGN));
    equal(verdict, "drop:not-mine");
  });

  Deno.test(`${name} answers nobody who has one of its addresses, or all of a network of it`, () => {
    const core = service.make(SEVERAL, unconnectedPorts());
    for (const { address } of SINGLE) {
      const { verdict } = receiveOne(core, ask(address, OWN.address));
      equal(verdict, name === "arp" ? "drop:conflict" : "drop:source");
    }
    if (name === "arp") return;
    for (const source of [0x0a4d00ff, 0x0a4d0000, 0xc00002ff, 0xc0000280]) {
      const { verdict } = receiveOne(core, ask(source, OWN.address));
      equal(verdict, "drop:source");
    }
  });

  for (const way of ["receives", "sends"] as const) {
    const grant = service[way](SEVERAL);
    testProperty(
      `${name} ${way} what the hosts of its addresses do together`,
      { runs: 200, file },
      fc.property(framesFor([grant]), (frame) => {
        const passes = (settings: ServiceSettings) =>
          matches(service[way](settings), frame, 0, frame.length);
        equal(passes(SEVERAL), SINGLE.some(passes));
      }),
    );
  }
}

Deno.test("a host that names one address has that one", () => {
  deepEqual(ownIpv4({ address: 7, prefixBits: 24 }), [
    { address: 7, prefixBits: 24 },
  ]);
  deepEqual(ownIpv4({ address: 7 }), [{ address: 7, prefixBits: 32 }]);
});
