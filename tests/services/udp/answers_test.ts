import { deepEqual, equal, ok } from "node:assert/strict";
import { unconnectedPorts } from "../../../services/core/ports.ts";
import fc from "fast-check";
import whoAmI from "../../../examples/dns_who_am_i.ts";
import type {
  Core,
  Frame,
  Outbox,
  Verdict,
} from "../../../services/core/core.ts";
import { serviceKit } from "../../../services/loader/kit.ts";
import { answerDatagrams } from "../../../services/udp/answers.ts";
import { pseudoHeaderSum } from "../../../services/wire/checksum.ts";
import { etherTypeOffset } from "../../../services/wire/ethernet.ts";
import { parseIpv4 } from "../../../services/wire/ipv4.ts";
import { parseUdp } from "../../../services/wire/udp.ts";
import { anyFrame, buildUdp } from "../../arbitraries/frames.ts";
import {
  bytesUpTo,
  ethernetRepr,
  plainIpv4Repr,
  port,
} from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import { NEIGHBOUR, OWN } from "../core/core_harness.ts";

const SETTINGS = { ...OWN, prefixBits: 24 };
const file = import.meta.url;

/** What a core makes of a frame, and the frame that it sends, if any. */
function ask(
  core: Core,
  bytes: Uint8Array<ArrayBuffer>,
): { verdict: Verdict; sent: Uint8Array | undefined } {
  let sent: Uint8Array | undefined;
  let opened: Frame | undefined;
  const out: Outbox = {
    open: (sizeBytes) =>
      opened = {
        bytes: new Uint8Array(sizeBytes + 64).fill(0xa5),
        start: 32,
        length: 0,
        capacity: sizeBytes,
        offload: 0,
      },
    send: () => {
      const { bytes, start, length, capacity } = opened!;
      ok(start >= 32 && start + length <= 32 + capacity + (start - 32));
      ok(
        bytes.subarray(start + length, start + length + 8)
          .every((byte) => byte === 0xa5),
      );
      sent = bytes.slice(start, start + length);
    },
  };
  const frame: Frame = {
    bytes,
    start: 0,
    length: bytes.length,
    capacity: bytes.length,
    offload: 0,
  };
  return { verdict: core.receive(frame, 0, out), sent };
}

/** The datagram in a frame, its checksums verified. */
function datagramIn(frame: Uint8Array) {
  const at = etherTypeOffset(frame, 0, frame.length) + 2;
  const ip = parseIpv4(frame, at, frame.length);
  if (typeof ip === "string") throw new Error(ip);
  const { source, destination, protocol } = ip;
  const sum = pseudoHeaderSum(source, destination, protocol);
  const udp = parseUdp(frame, at + 20 + ip.options.length, frame.length, sum);
  if (typeof udp === "string") throw new Error(udp);
  return { ip, udp };
}

function toUs(
  udp: {
    readonly sourcePort: number;
    readonly destinationPort: number;
    readonly payload: Uint8Array;
  },
  ethernet = { tags: [] as const, etherType: 0x0800 },
  ip: Partial<Parameters<typeof buildUdp>[1]> = {},
): Uint8Array<ArrayBuffer> {
  return buildUdp(
    { ...ethernet, destination: OWN.mac, source: NEIGHBOUR.mac },
    {
      ...{ dscp: 0, ecn: 0, identification: 1, dontFragment: true },
      ...{ moreFragments: false, fragmentOffset: 0, ttl: 64 },
      ...{ options: new Uint8Array(0) },
      ...ip,
      payloadBytes: 8 + udp.payload.length,
      protocol: 17,
      source: NEIGHBOUR.address,
      destination: OWN.address,
    },
    { ...udp, checksummed: true },
  );
}

testProperty(
  "an answer goes to who asked, from the port that was asked, whole and with right checksums",
  { runs: 500, file },
  fc.property(
    ethernetRepr(0x0800),
    plainIpv4Repr(0, 17),
    port(),
    bytesUpTo(600),
    bytesUpTo(1200),
    (ethernet, ip, asker, question, answer) => {
      const heard: [number[], number, number][] = [];
      const service = answerDatagrams(53, (payload, { address, port }) => {
        heard.push([[...payload], address, port]);
        return answer;
      });
      const frame = toUs(
        { sourcePort: asker, destinationPort: 53, payload: question },
        { ...ethernet, tags: ethernet.tags as [] },
        { options: ip.options },
      );
      const { sent } = ask(service.make(SETTINGS, unconnectedPorts()), frame);
      if (asker === 0) return equal(sent, undefined);
      deepEqual(heard, [[[...question], NEIGHBOUR.address, asker]]);
      const { ip: back, udp } = datagramIn(sent!);
      deepEqual([...sent!.subarray(0, 6)], [...NEIGHBOUR.mac]);
      deepEqual([...sent!.subarray(6, 12)], [...OWN.mac]);
      equal(back.source, OWN.address);
      equal(back.destination, NEIGHBOUR.address);
      equal(udp.sourcePort, 53);
      equal(udp.destinationPort, asker);
      deepEqual([...udp.payload], [...answer]);
    },
  ),
);

Deno.test("a datagram from port 0 is asked for no answer, and gets none (RFC 768)", () => {
  let heard = 0;
  const service = answerDatagrams(53, (payload) => {
    heard++;
    return payload;
  });
  const core = service.make(SETTINGS, unconnectedPorts());
  const from = (sourcePort: number) =>
    ask(
      core,
      toUs({ sourcePort, destinationPort: 53, payload: Uint8Array.of(7) }),
    );
  const { verdict, sent } = from(0);
  equal(verdict, "drop:no-source-port");
  equal(sent, undefined);
  equal(heard, 0);
  equal(from(1).verdict, "handled");
  equal(heard, 1);
});

testProperty(
  "an answer has as many bytes as the MTU has room for, and a longer one is dropped and counted",
  { runs: 100, file },
  fc.property(
    fc.option(fc.integer({ min: 68, max: 9000 }), { nil: undefined }),
    fc.integer({ min: -2, max: 2 }),
    bytesUpTo(40),
    (mtu, more, question) => {
      const most = (mtu ?? 1500) - 28;
      const service = answerDatagrams(53, () => new Uint8Array(most + more));
      const frame = toUs(
        { sourcePort: 4000, destinationPort: 53, payload: question },
      );
      const settings = mtu === undefined ? SETTINGS : { ...SETTINGS, mtu };
      const { verdict, sent } = ask(
        service.make(settings, unconnectedPorts()),
        frame,
      );
      equal(verdict, more > 0 ? "drop:too-large" : "handled");
      equal(sent?.length, more > 0 ? undefined : 14 + 28 + most + more);
    },
  ),
);

testProperty(
  "frames of all kinds are answered, or dropped for a reason, and never thrown on",
  { runs: 2000, file },
  fc.property(anyFrame(), (frame) => {
    for (const service of [whoAmI(serviceKit)]) {
      const { verdict, sent } = ask(
        service.make(SETTINGS, unconnectedPorts()),
        frame,
      );
      equal(sent !== undefined, verdict === "handled");
      ok(verdict === "handled" || verdict.startsWith("drop:"));
    }
  }),
);

const NAME = [3, 119, 104, 111, 0];

function dns(id: number, type: number): Uint8Array {
  return Uint8Array.from([
    ...[0, id, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1],
    ...NAME,
    ...[0, type, 0, 1],
    ...[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0], // EDNS (RFC 6891), as resolvers add it
  ]);
}

function answerTo(payload: Uint8Array): Uint8Array | undefined {
  const core = whoAmI(serviceKit).make(SETTINGS, unconnectedPorts());
  const frame = toUs({ sourcePort: 4000, destinationPort: 53, payload });
  const { sent } = ask(core, frame);
  return sent === undefined ? undefined : datagramIn(sent).udp.payload;
}

Deno.test("the example tells its address to who asks for one, and nothing to who asks for more", () => {
  const address = answerTo(dns(9, 1))!;
  deepEqual([...address], [
    ...[0, 9, 0x85, 0, 0, 1, 0, 1, 0, 0, 0, 0],
    ...NAME,
    ...[0, 1, 0, 1],
    ...[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4],
    ...[10, 77, 0, 1],
  ]);
  const none = answerTo(dns(9, 28))!;
  deepEqual([...none.subarray(2, 12)], [0x85, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  equal(none.length, 12 + NAME.length + 4);
});

Deno.test("the example answers no answer, and nothing that is cut short", () => {
  const question = dns(9, 1);
  const answer = question.slice();
  answer[2] = 0x80;
  equal(answerTo(answer), undefined);
  const questionBytes = 12 + NAME.length + 4;
  for (let length = 0; length < questionBytes; length++) {
    equal(answerTo(question.subarray(0, length)), undefined, `${length} bytes`);
  }
  ok(answerTo(question.subarray(0, questionBytes)) !== undefined);
});
