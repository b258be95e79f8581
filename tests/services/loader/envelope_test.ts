import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  type Grant,
  GrantError,
} from "../../../services/filter/grant/grant.ts";
import { checkGrant } from "../../../services/filter/grant/check.ts";
import { grant } from "../../../services/filter/grant/text/grant_text.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { answersTo, mayBeSent } from "../../../services/loader/envelope.ts";
import { getU16, getU32 } from "../../../services/wire/big_endian.ts";
import { formatIpv4 } from "../../../services/wire/address.ts";
import {
  ipAddressBytes,
  type IpPrefix,
  parseIpPrefix,
} from "../../../services/wire/ip_address.ts";
import { buildUdp } from "../../arbitraries/frames.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { grantArbitrary } from "../../arbitraries/grants.ts";
import { ethernetRepr, plainIpv4Repr, port } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";

const SELF = {
  address: 0x0a4d0002,
  mac: Uint8Array.of(2, 0x53, 0x0a, 0x4d, 0, 2),
};
const file = import.meta.url;

/** A host of both versions, with two addresses of IPv4. */
const BOTH = {
  ...SELF,
  addresses: ["10.77.0.2/24", "192.0.2.1/24", "fd00::2/64"].map((text) =>
    parseIpPrefix(text) as IpPrefix
  ),
};
const OWN6 = ipAddressBytes(BOTH.addresses[2]!.address).toHex();

function whole(
  [set, frame]: readonly [Grant, Uint8Array],
): [Grant, Uint8Array, number, number] {
  return [set, frame, 0, frame.length];
}

testProperty(
  "no frame that may be sent as an answer has another's address",
  { runs: 2000, file },
  fc.property(
    fc.tuple(grantArbitrary, fc.constantFrom(SELF, BOTH)).chain((
      [received, self],
    ) => {
      let answers;
      try {
        answers = answersTo(received, self);
      } catch (error) {
        ok(error instanceof GrantError);
        return fc.constant(undefined);
      }
      return fc.tuple(
        fc.constant(answers),
        framesFor([answers]),
        fc.constant(self),
      );
    }),
    (drawn) => {
      if (drawn === undefined) return;
      const [answers, frame, self] = drawn;
      if (!matches(...whole([answers, frame]))) return;
      const own = self === BOTH ? [SELF.address, 0xc0000201] : [SELF.address];
      ok(SELF.mac.every((byte, at) => frame[6 + at] === byte));
      const tagged = [0x8100, 0x88a8].includes(getU16(frame, 12));
      const typeAt = tagged ? 16 : 12;
      const type = getU16(frame, typeAt);
      if (type === 0x0800) ok(own.includes(getU32(frame, typeAt + 14)));
      if (type === 0x0806) ok(own.includes(getU32(frame, typeAt + 16)));
      if (type !== 0x86dd) return;
      equal(self, BOTH);
      equal(frame.subarray(typeAt + 10, typeAt + 26).toHex(), OWN6);
    },
  ),
);

testProperty(
  "the answer to a datagram that is received may be sent, one to another port may not",
  { runs: 500, file },
  fc.property(
    ethernetRepr(0x0800),
    plainIpv4Repr(12, 17),
    port(),
    port(),
    (ethernet, ipv4, asker, asked) => {
      const text = `udp src port ${asker} and dst port ${asked} and src host ${
        formatIpv4(ipv4.source)
      }`;
      const sends = mayBeSent({ receives: text }, SELF);
      const answer = (sourcePort: number) =>
        buildUdp(
          { ...ethernet, tags: [], source: SELF.mac },
          { ...ipv4, source: SELF.address, destination: ipv4.source },
          {
            sourcePort,
            destinationPort: asker,
            checksummed: true,
            payload: new Uint8Array(4),
          },
        );
      ok(matches(...whole([sends, answer(asked)])));
      ok(!matches(...whole([sends, answer(asked ^ 1)])));
    },
  ),
);

Deno.test("what a manifest says may be sent is taken as it says it", () => {
  const sends = "tcp src port 80";
  const texts = { receives: "udp dst port 53", sends };
  equal(
    JSON.stringify(mayBeSent(texts, SELF)),
    JSON.stringify(grant(sends)),
  );
});

Deno.test("where no answer can be, it must be said what is sent", () => {
  throws(
    () => mayBeSent({ receives: "ip6" }, SELF),
    /"sends" in a manifest/,
  );
  const [answer] = mayBeSent({ receives: "ip6" }, BOTH);
  deepEqual(answer!.payload, {
    kind: "ipv6",
    src: { address: [0xfd, ...new Array(14).fill(0), 2], length: 128 },
    fragment: "any",
  });
});

const OURS = { address: [10, 77, 0, 2], length: 32 };
const THEIRS = { address: [10, 9, 0, 0], length: 16 };
const ALL_BITS = [255, 255, 255, 255, 255, 255];
const FRAME = { etherSrc: { address: [...SELF.mac], mask: ALL_BITS } };
const ANY_ARP = { ...FRAME, payload: { kind: "arp", sender: OURS } };
const ANY_IPV4 = {
  ...FRAME,
  payload: { kind: "ipv4", src: OURS, fragment: "any" },
};
const PEER = { address: [2, 0, 0, 0, 0, 9], mask: ALL_BITS };

/** What is received, and what answers it. */
const ANSWERS: readonly (readonly [received: unknown, answers: unknown[]])[] = [
  [{}, [ANY_ARP, ANY_IPV4]],
  [{ payload: { kind: "type", etherType: 0x0806 } }, [ANY_ARP]],
  [{ payload: { kind: "type", etherType: 0x0800 } }, [ANY_IPV4]],
  [{ payload: { kind: "type", etherType: 0x86dd } }, []],
  [
    { payload: { kind: "type", etherType: 0x88b5 } },
    [{ ...FRAME, payload: { kind: "type", etherType: 0x88b5 } }],
  ],
  [{ payload: { kind: "arp", operation: 1, target: OURS } }, [ANY_ARP]],
  [
    { payload: { kind: "arp", sender: THEIRS } },
    [{ ...FRAME, payload: { ...ANY_ARP.payload, target: THEIRS } }],
  ],
  [
    {
      etherSrc: PEER,
      etherDst: FRAME.etherSrc,
      vlan: 7,
      payload: {
        kind: "ipv4",
        src: THEIRS,
        dst: OURS,
        fragment: "whole",
        protocol: 17,
        srcPort: { low: 1, high: 2 },
        dstPort: { low: 3, high: 4 },
      },
    },
    [{
      ...FRAME,
      etherDst: PEER,
      vlan: 7,
      payload: {
        kind: "ipv4",
        src: OURS,
        dst: THEIRS,
        fragment: "whole",
        protocol: 17,
        srcPort: { low: 3, high: 4 },
        dstPort: { low: 1, high: 2 },
      },
    }],
  ],
  [{ payload: { kind: "ipv6", fragment: "any", protocol: 17 } }, []],
];

Deno.test("an answer has the question's ends the other way round, and this host for its source", () => {
  for (const [received, answers] of ANSWERS) {
    const asked = checkGrant([received]);
    if (answers.length === 0) {
      throws(() => answersTo(asked, SELF), GrantError);
    } else deepEqual(answersTo(asked, SELF), checkGrant(answers));
  }
  const all = ANSWERS.map(([received]) => received);
  deepEqual(
    answersTo(checkGrant(all), SELF),
    checkGrant(ANSWERS.flatMap(([, answers]) => answers)),
  );
});

Deno.test("an answer to IPv6 comes from this host's address of IPv6, and has the question's ends the other way round", () => {
  const ours = { address: [0xfd, ...new Array(14).fill(0), 2], length: 128 };
  const theirs = { address: [0xfd, 1, ...new Array(14).fill(0)], length: 16 };
  const kind = "ipv6";
  const any = { ...FRAME, payload: { kind, src: ours, fragment: "any" } };
  const common = { kind, fragment: "whole", protocol: 17 };
  const [low, high] = [{ low: 1, high: 2 }, { low: 3, high: 4 }];
  const question = { src: theirs, dst: ours, srcPort: low, dstPort: high };
  const answer = { src: ours, dst: theirs, srcPort: high, dstPort: low };
  const cases = [
    [{ payload: { kind: "type", etherType: 0x86dd } }, any],
    [{ payload: { kind, fragment: "any" } }, any],
    [{ payload: { ...common, ...question } }, {
      ...FRAME,
      payload: { ...common, ...answer },
    }],
  ];
  for (const [asked, expected] of cases) {
    deepEqual(answersTo(checkGrant([asked]), BOTH), checkGrant([expected]));
  }
});
