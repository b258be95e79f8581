/**
 * Grants that collide: few addresses, few ports, so that siblings share
 * prefixes, overlap, and meet the same frames often.
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import {
  parseMacPattern,
  parsePrefix,
} from "../../services/filter/grant/address.ts";
import type {
  Conjunction,
  Grant,
  IpPayload,
  Payload,
} from "../../services/filter/grant/grant.ts";
import { checkGrant } from "../../services/filter/grant/check.ts";
import { intersect, overlaps } from "../../services/filter/grant/overlap.ts";
import type { GrantNode } from "../../services/filter/tree/merge.ts";

const macs = [
  parseMacPattern("02:53:0a:4d:00:02"),
  parseMacPattern("02:53:0a:4d:00:03"),
  parseMacPattern("ff:ff:ff:ff:ff:ff"),
  parseMacPattern("01:00:00:00:00:00", "01:00:00:00:00:00"),
  parseMacPattern("00:00:00:00:00:00", "00:00:00:00:00:00"),
  parseMacPattern("02:53:00:00:00:00", "ff:ff:00:00:00:00"),
  parseMacPattern("00:00:00:00:00:02", "00:00:00:00:00:ff"),
];

const prefixes = {
  ipv4: [
    "10.77.0.2",
    "10.77.0.3",
    "10.77.1.2",
    "192.0.2.1",
    "10.77.0.0/24",
    "10.77.0.0/31",
    "10.0.0.0/8",
    "0.0.0.0/0",
  ].map((text) => parsePrefix(text, "ipv4")),
  ipv6: [
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:0:1::1",
    "2001:db8::/64",
    "2001:db8::/127",
    "2001::/16",
    "::/0",
  ].map((text) => parsePrefix(text, "ipv6")),
};

const ports = [[7, 7], [53, 53], [80, 80], [50, 60], [0, 65535], [53, 80]]
  .map(([low = 0, high = 0]) => ({ low, high }));

function maybe<T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

/** An object without the keys that are undefined. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as T;
}

const typePayload: Arbitrary<Payload> = fc.constantFrom(
  0x0800,
  0x0806,
  0x86dd,
  0x88cc,
  60,
).map((etherType) => ({ kind: "type", etherType }));

const arpPayload: Arbitrary<Payload> = fc.record({
  kind: fc.constant("arp" as const),
  operation: maybe(fc.constantFrom(1, 2)),
  sender: maybe(fc.constantFrom(...prefixes.ipv4)),
  target: maybe(fc.constantFrom(...prefixes.ipv4)),
}).map((payload) => compact(payload) as Payload);

function ipPayload(kind: "ipv4" | "ipv6"): Arbitrary<Payload> {
  const icmp = kind === "ipv4" ? 1 : 58;
  return fc.record({
    src: maybe(fc.constantFrom(...prefixes[kind])),
    dst: maybe(fc.constantFrom(...prefixes[kind])),
    fragment: fc.constantFrom("whole", "fragment", "any"),
    protocol: maybe(fc.constantFrom(6, 17, 17, 17, icmp, 253)),
    srcPort: maybe(fc.constantFrom(...ports)),
    dstPort: maybe(fc.constantFrom(...ports)),
    icmpType: maybe(fc.constantFrom(0, 8, 128)),
  }).map((asked) => {
    const { protocol } = asked;
    const hasPorts = protocol === 6 || protocol === 17;
    const hasType = protocol === icmp;
    const kept = {
      kind,
      ...asked,
      srcPort: hasPorts ? asked.srcPort : undefined,
      dstPort: hasPorts ? asked.dstPort : undefined,
      icmpType: hasType ? asked.icmpType : undefined,
    };
    const asksPayload = kept.srcPort ?? kept.dstPort ?? kept.icmpType;
    const fragment = asksPayload === undefined ? asked.fragment : "whole";
    return compact({ ...kept, fragment }) as IpPayload;
  });
}

/** One conjunction. */
export const conjunctionArbitrary: Arbitrary<Conjunction> = fc.record({
  etherDst: fc.option(fc.constantFrom(...macs), { nil: undefined, freq: 2 }),
  etherSrc: fc.option(fc.constantFrom(...macs), { nil: undefined, freq: 1 }),
  vlan: fc.option(fc.constantFrom("any" as const, 0, 7, 8), {
    nil: undefined,
    freq: 1,
  }),
  payload: fc.option(
    fc.oneof(
      { weight: 1, arbitrary: typePayload },
      { weight: 2, arbitrary: arpPayload },
      { weight: 5, arbitrary: ipPayload("ipv4") },
      { weight: 4, arbitrary: ipPayload("ipv6") },
    ),
    { nil: undefined, freq: 12 },
  ),
}).map((conjunction) => compact(conjunction) as Conjunction);

/** A grant of a few conjunctions. */
export const grantArbitrary: Arbitrary<Grant> = fc.array(
  conjunctionArbitrary,
  { minLength: 1, maxLength: 3 },
).map(checkGrant);

/** Exact flows of one shape or of a few, no two the same. */
const flowsArbitrary: Arbitrary<Grant[]> = fc.record({
  kind: fc.constantFrom("ipv4" as const, "ipv6" as const),
  shapes: fc.array(
    fc.record({
      src: fc.boolean(),
      dst: fc.boolean(),
      srcPort: fc.boolean(),
      dstPort: fc.boolean(),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  vlan: maybe(fc.constantFrom(7)),
  choices: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 60 }),
}).map(({ kind, shapes, vlan, choices }) =>
  choices.map((choice) => {
    const shape = shapes[choice % shapes.length]!;
    const address = (at: number) => prefixes[kind][(choice >> at) & 1]!;
    const port = (at: number) => {
      const low = 50 + ((choice >> at) & 7);
      return { low, high: low };
    };
    const payload = compact({
      kind,
      protocol: (choice >> 1) & 1 ? 6 : 17,
      fragment: "whole",
      src: shape.src ? address(2) : undefined,
      dst: shape.dst ? address(3) : undefined,
      srcPort: shape.srcPort ? port(4) : undefined,
      dstPort: shape.dstPort ? port(7) : undefined,
    });
    return checkGrant([compact({ vlan, payload })]);
  })
);

/** Many protocols, and many addresses that go on differently. */
const variedArbitrary: Arbitrary<Grant[]> = fc.record({
  kind: fc.constantFrom("ipv4" as const, "ipv6" as const),
  byProtocol: fc.boolean(),
  choices: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 40 }),
}).map(({ kind, byProtocol, choices }) =>
  choices.map((choice) => {
    const { address, length } = prefixes[kind][0]!;
    const own = address.with(-1, choice & 63);
    const payload = byProtocol
      ? { kind, fragment: "any", protocol: 1 + (choice & 31) }
      : {
        kind,
        fragment: "whole",
        protocol: 17,
        dst: { address: own, length },
        dstPort: ports[(choice >> 8) % ports.length],
      };
    return checkGrant([{ payload }]);
  })
);

/** Neighbours in the list made one grant, twice the same conjunction included. */
function grouped(grants: readonly Grant[], size: number): Grant[] {
  if (size <= 1) return [...grants];
  const groups: Grant[] = [];
  for (let at = 0; at < grants.length; at += size) {
    const some = grants.slice(at, at + size).flat();
    groups.push([...some, some[0]!]);
  }
  return groups;
}

const anySiblings: Arbitrary<Grant[]> = fc.oneof(
  { weight: 3, arbitrary: fc.array(grantArbitrary, { maxLength: 8 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.oneof(flowsArbitrary, variedArbitrary),
      fc.constantFrom(1, 1, 12, 30),
    ).map(([grants, size]) => grouped(grants, size)),
  },
);

/** Of siblings' grants that clash the first stays. */
function apart(grants: readonly Grant[]): Grant[] {
  return grants.reduce<Grant[]>(
    (kept, grant) =>
      kept.some((one) => overlaps(one, grant)) ? kept : [...kept, grant],
    [],
  );
}

/** What is left of `grants` within `outer`, where something is; else as they are. */
function within(outer: Grant, grants: readonly Grant[]): Grant[] {
  return grants.map((grant) => {
    const both = grant.flatMap((one) => intersect(one, outer[0]!) ?? []);
    return both.length > 0 ? both : grant;
  });
}

/**
 * A derivation tree of at most three levels; siblings never overlap. Children
 * ask again for what their parents ask, or for something else.
 */
export const derivationArbitrary: Arbitrary<GrantNode[]> = fc.tuple(
  anySiblings,
  fc.array(anySiblings, { maxLength: 4 }),
  fc.array(anySiblings, { maxLength: 3 }),
  fc.array(fc.nat(4), { minLength: 1, maxLength: 16 }),
).map(([top, middle, bottom, silent]) => {
  let slot = 0;
  const node = (
    grant: Grant,
    levels: readonly Grant[][][],
    index: number,
  ): GrantNode => {
    slot++;
    const own = silent[slot % silent.length]! === 0 ? 0 : slot;
    const [next = [], ...rest] = levels;
    const inner = next[index] ?? [];
    const narrowed = slot % 2 === 0 ? within(grant, inner) : inner;
    return {
      slot: own,
      grant,
      children: apart(narrowed).map((one, at) => node(one, rest, at)),
    };
  };
  return apart(top).map((grant, at) => node(grant, [middle, bottom], at));
});
