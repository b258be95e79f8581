/** Services get and send frames of their own VLAN, and of no other. */

import { unconnectedPorts } from "../../../services/core/ports.ts";
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { arpService } from "../../../services/arp/service.ts";
import type { Core, Frame, Outbox } from "../../../services/core/core.ts";
import type {
  ServiceDefinition,
  ServiceSettings,
} from "../../../services/core/definition.ts";
import { withPriorityTagged } from "../../../services/filter/grant/priority_tagged.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { icmpEchoService } from "../../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../../services/udp-echo/service.ts";
import { answerDatagrams } from "../../../services/udp/answers.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { NEIGHBOUR, OWN } from "./core_harness.ts";

const file = import.meta.url;

const SERVICES: Readonly<Record<string, ServiceDefinition>> = {
  arp: arpService,
  "icmp-echo": icmpEchoService,
  "udp-echo": udpEchoService,
  "an answer to datagrams": answerDatagrams(7, (payload) => payload.slice()),
};

/** Questions that the services answer, without a tag. */
const QUESTIONS: Readonly<Record<string, Uint8Array>> = {
  arp: Uint8Array.from([
    ...[255, 255, 255, 255, 255, 255, ...NEIGHBOUR.mac, 8, 6],
    ...[0, 1, 8, 0, 6, 4, 0, 1, ...NEIGHBOUR.mac, 10, 77, 0, 1],
    ...[0, 0, 0, 0, 0, 0, 10, 77, 0, 2],
  ]),
  "icmp-echo": ipv4Of(1, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]),
  "udp-echo": ipv4Of(17, [0x40, 0, 0, 7, 0, 8, 0, 0]),
  "an answer to datagrams": ipv4Of(17, [0x40, 0, 0, 7, 0, 8, 0, 0]),
};

/** A datagram from the neighbour, with the reserved flag of RFC 3514 and "do not fragment". */
function ipv4Of(protocol: number, payload: readonly number[]): Uint8Array {
  const header = [0x45, 0, 0, 20 + payload.length, 0, 1, 0xc0, 0, 64, protocol];
  const addresses = [10, 77, 0, 1, 10, 77, 0, 2];
  const words = [...header, 0, 0, ...addresses];
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += words[i]! << 8 | words[i + 1]!;
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  return Uint8Array.from([
    ...[...OWN.mac, ...NEIGHBOUR.mac, 8, 0, ...header],
    ...[sum >>> 8, sum & 255, ...addresses, ...payload],
  ]);
}

/** Adds a tag to a frame. */
function tagged(frame: Uint8Array, tag: number, type = 0x8100): Uint8Array {
  return Uint8Array.from([
    ...frame.subarray(0, 12),
    ...[type >>> 8, type & 255, tag >>> 8, tag & 255],
    ...frame.subarray(12),
  ]);
}

/** What a core sends for a frame, in place or of its own. */
function answerOf(core: Core, bytes: Uint8Array): Uint8Array | undefined {
  const frameOf = (buffer: Uint8Array): Frame => ({
    bytes: buffer,
    start: 0,
    length: buffer.length,
    capacity: buffer.length,
    offload: 0,
  });
  let own: Frame | undefined;
  let sent: Frame | undefined;
  const out: Outbox = {
    open: (sizeBytes) => own = frameOf(new Uint8Array(sizeBytes)),
    send: () => sent = own,
  };
  const frame = frameOf(bytes.slice());
  if (core.receive(frame, 0, out) === "reply") sent = frame;
  return sent?.bytes.slice(sent.start, sent.start + sent.length);
}

for (const [name, service] of Object.entries(SERVICES)) {
  testProperty(
    `${name}: frames of its own VLAN are answered in that one, whatever their priority, and no others are its own`,
    { runs: 200, file },
    fc.property(
      fc.option(fc.integer({ min: 1, max: 4094 }), { nil: undefined }),
      fc.oneof(fc.constantFrom(0, 5, undefined), fc.nat(4095)),
      fc.nat(15),
      fc.constantFrom(0x8100, 0x88a8),
      fc.boolean(),
      (vlan, id, priority, type, same) => {
        const settings: ServiceSettings = {
          ...OWN,
          prefixBits: 24,
          ...(vlan === undefined ? {} : { vlan }),
        };
        const frameVlan = same ? vlan : id;
        const question = QUESTIONS[name]!;
        const frame = frameVlan === undefined
          ? question
          : tagged(question, priority << 12 | frameVlan, type);
        const own = (frameVlan ?? 0) === (vlan ?? 0);
        const receives = withPriorityTagged(service.receives(settings));
        equal(matches(receives, frame, 0, frame.length), own);
        if (!own) return;
        const answer = answerOf(
          service.make(settings, unconnectedPorts()),
          frame,
        )!;
        ok(answer !== undefined, "an answer");
        const sends = withPriorityTagged(service.sends(settings));
        ok(matches(sends, answer, 0, answer.length));
        equal(answer[12] === 0x81 || answer[12] === 0x88, frame !== question);
        // The reserved flag is nobody's; "do not fragment" is kept.
        const at = frame === question ? 14 : 18;
        if (answer[at] === 0x45) equal(answer[at + 6], 0x40);
      },
    ),
  );
}

Deno.test("arp gets what is asked of everybody or of it, and nothing that is asked of another host", () => {
  const receives = arpService.receives({ ...OWN, prefixBits: 24 });
  const asked = (to: readonly number[]) => {
    const frame = QUESTIONS["arp"]!.slice();
    frame.set(to);
    return matches(receives, frame, 0, frame.length);
  };
  deepEqual([
    asked([255, 255, 255, 255, 255, 255]),
    asked([...OWN.mac]),
    asked([2, 0, 0, 0, 0, 9]),
    asked([1, 0, 0x5e, 0, 0, 1]),
  ], [true, true, false, false]);
  for (const conjunction of receives) ok(witness(conjunction).length > 0);
});
