/**
 * Packets of every link type, for filters: protocols in one another, from the
 * values that expressions.ts asks for. They need not be right all over: lengths
 * and checksums mean nothing to a filter.
 */

import fc from "fast-check";
import type { LinkType } from "../../services/wire/link_type.ts";
import type { Arbitrary } from "./arbitrary.ts";
import { LIKELY } from "./expressions.ts";

/** Bytes, as they are put together. */
type Bytes = readonly number[];

/** Something that a link header can carry. */
interface Carried {
  /** EtherType, or a length and an 802.2 header when at most 1500. */
  readonly type: number;
  readonly bytes: Bytes;
}

const u8 = fc.nat(255);
const from = fc.constantFrom;

function u16(value: number): Bytes {
  return [value >>> 8 & 255, value & 255];
}

function u32(value: number): Bytes {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

function join(...parts: Arbitrary<Bytes>[]): Arbitrary<Bytes> {
  return fc.tuple(...parts).map((list) => list.flat());
}

function bytes(min: number, max = min): Arbitrary<Bytes> {
  return fc.array(u8, { minLength: min, maxLength: max });
}

function ip4Bytes(text: string): Bytes {
  return text.split(".").map(Number);
}

function ip6Bytes(text: string): Bytes {
  const [head, tail] = text.split("::").map((half) =>
    half.split(":").filter((group) => group !== "").flatMap((group) =>
      u16(parseInt(group, 16))
    )
  );
  const zeros = new Array<number>(16 - head!.length - tail!.length).fill(0);
  return [...head!, ...zeros, ...tail!];
}

const mac = fc.oneof(
  from(...LIKELY.mac).map((text): Bytes =>
    text.split(":").map((group) => parseInt(group, 16))
  ),
  bytes(6),
);
const ip4 = fc.oneof(
  { weight: 6, arbitrary: from(...LIKELY.ip4).map(ip4Bytes) },
  { weight: 1, arbitrary: bytes(4) },
);
const ip6 = fc.oneof(
  { weight: 6, arbitrary: from(...LIKELY.ip6).map(ip6Bytes) },
  { weight: 1, arbitrary: bytes(16) },
);
const port = fc.oneof(
  { weight: 5, arbitrary: from(...LIKELY.port).map(u16) },
  { weight: 1, arbitrary: bytes(2) },
);

const tcp = join(
  port,
  port,
  bytes(8),
  from<Bytes>([0x50, 2], [0x50, 18]),
  bytes(6, 16),
);
const icmp = join(from<Bytes>([8], [0], [3], [128], [135]), bytes(3, 12));

/** A transport header and its protocol's number. */
function transport(inner: Arbitrary<Bytes>) {
  return fc.oneof(
    tcp.map((b) => ({ protocol: 6, bytes: b })),
    join(port, port, bytes(4, 12)).map((b) => ({ protocol: 17, bytes: b })),
    tunnel(inner).map((b) => ({ protocol: 17, bytes: b })),
    join(port, port, bytes(8)).map((b) => ({ protocol: 132, bytes: b })),
    icmp.map((b) => ({ protocol: 1, bytes: b })),
    icmp.map((b) => ({ protocol: 58, bytes: b })),
    join(from<Bytes>([6, 4], [51, 1], [17, 0], [59, 3]), bytes(10), tcp)
      .map((b) => ({ protocol: 51, bytes: b })),
    fc.tuple(from(2, 9, 50, 89, 103, 112), bytes(4, 12))
      .map(([protocol, b]) => ({ protocol, bytes: b })),
  );
}

/** UDP with Geneve or VXLAN in it. */
function tunnel(inner: Arbitrary<Bytes>): Arbitrary<Bytes> {
  const number = from(...LIKELY.vni).map((vni) => u32(vni * 256));
  const geneve = fc.tuple(
    from(0, 0, 1, 2),
    from(0x6558, 0x6558, 0x0800, 0x86dd),
    number,
    inner,
  ).chain(([units, type, vni, frame]) =>
    bytes(units * 4).map((options): Bytes => [
      ...[...u16(999), ...u16(6081), ...u32(0)],
      ...[units, 0, ...u16(type), ...vni, ...options],
      ...(type === 0x6558 ? frame : frame.slice(14)),
    ])
  );
  const vxlan = fc.tuple(number, inner).map(([vni, frame]): Bytes => [
    ...[...u16(999), ...u16(4789), ...u32(0)],
    ...[8, 0, 0, 0, ...vni, ...frame],
  ]);
  return fc.oneof({ weight: 2, arbitrary: geneve }, {
    weight: 1,
    arbitrary: vxlan,
  });
}

function ip4Packet(inner: Arbitrary<Bytes>): Arbitrary<Carried> {
  return fc.record({
    words: from(5, 5, 5, 6, 15),
    fragment: from(0, 0, 0, 0, 0x2000, 0x4000, 0x2001, 0x00b9),
    above: transport(inner),
    source: ip4,
    destination: ip4,
    length: bytes(2),
  }).chain((p) =>
    bytes((p.words - 5) * 4).map((options): Carried => ({
      type: 0x0800,
      bytes: [
        ...[0x40 + p.words, 0, ...p.length, 0, 1, ...u16(p.fragment), 64],
        ...[p.above.protocol, 0, 0, ...p.source, ...p.destination],
        ...options,
        ...p.above.bytes,
      ],
    }))
  );
}

const extension = fc.tuple(from(0, 43, 44, 60), from(0, 0, 1), bytes(6));

function ip6Packet(inner: Arbitrary<Bytes>): Arbitrary<Carried> {
  return fc.record({
    extensions: fc.array(extension, { maxLength: 2 }),
    above: transport(inner),
    source: ip6,
    destination: ip6,
  }).map((p): Carried => {
    const headers = p.extensions.flatMap(([type, units, data], i) => {
      const next = p.extensions[i + 1]?.[0] ?? p.above.protocol;
      const padding = new Array<number>(units * 8).fill(0);
      return [next, type === 44 ? 0 : units, ...data, ...padding];
    });
    const first = p.extensions[0]?.[0] ?? p.above.protocol;
    return {
      type: 0x86dd,
      bytes: [
        ...[0x60, 0, 0, 0, 0, 40, first, 64, ...p.source, ...p.destination],
        ...headers,
        ...p.above.bytes,
      ],
    };
  });
}

const arpPacket = fc.tuple(from(0x0806, 0x8035), mac, ip4, mac, ip4).map(
  ([type, sender, senderIp, target, targetIp]): Carried => ({
    type,
    bytes: [
      ...[0, 1, 8, 0, 6, 4, 0, 1, ...sender, ...senderIp],
      ...[...target, ...targetIp],
    ],
  }),
);

/** Frames with a length in the place of a type, and their kin. */
const oldPacket = fc.oneof(
  fc.tuple(
    from(0x42, 0xe0, 0xf0, 0xfe, 0xaa, 0xff, 0x06),
    from(0x03, 0x01, 0x05, 0x09, 0x63, 0xe3, 0xaf, 0x00),
    from(0x83, 0x82, 0x81, 0),
    from(15, 16, 17, 18, 20, 24, 26),
    bytes(4, 12),
  ).map(([sap, control, nlpid, pdu, rest]): Carried => ({
    type: 60,
    bytes: [sap, sap, control, nlpid, 27, 1, 0, pdu, ...rest],
  })),
  fc.tuple(from(0x080007, 0), from(0x809b, 0x80f3, 0x8137), bytes(2, 8)).map(
    ([organisation, type, rest]): Carried => ({
      type: 40,
      bytes: [
        0xaa,
        0xaa,
        3,
        ...u32(organisation).slice(1),
        ...u16(type),
        ...rest,
      ],
    }),
  ),
  fc.tuple(
    from(0x02, 0x06, 0x81, 0x26),
    from(2, 6),
    bytes(0, 12),
    from<Bytes>([2, 4], [15, 40], [255, 255]),
    bytes(0, 10),
  ).map(([flags, second, before, address, after]): Carried => ({
    type: 0x6003,
    bytes: [30, 0, flags, second, ...before, ...address, ...address, ...after],
  })),
  fc.tuple(
    from(0x6001, 0x6002, 0x6004, 0x6007, 0x8137, 0x8863, 0x1234, 1500, 1501),
    bytes(2, 20),
  ).map(([type, rest]): Carried => ({ type, bytes: rest })),
);

const PPP: ReadonlyMap<number, number> = new Map([
  [0x0800, 0x21],
  [0x86dd, 0x57],
  [0x8847, 0x281],
]);

/** Tags, labels and sessions around what is carried. */
function wrapped(plain: Arbitrary<Carried>): Arbitrary<Carried> {
  const tag = fc.tuple(
    from(0x8100, 0x8100, 0x88a8, 0x9100),
    from(...LIKELY.vlan),
    from(0, 0x6000),
  );
  return fc.record({
    carried: plain,
    labels: fc.array(from(...LIKELY.label), { minLength: 0, maxLength: 3 }),
    session: fc.option(from(...LIKELY.session), { nil: undefined, freq: 3 }),
    tags: fc.array(tag, { maxLength: 2 }),
    plain: from(true, true, false),
  }).map((w): Carried => {
    let { type, bytes } = w.carried;
    if (w.plain) return { type, bytes };
    w.labels.forEach((label, i) => {
      const bottom = i === 0 ? 1 : 0;
      bytes = [...u32(label * 4096 + bottom * 256 + 64), ...bytes];
      type = 0x8847;
    });
    if (w.session !== undefined) {
      const inner = PPP.get(type) ?? type;
      bytes = [0x11, 0, ...u16(w.session), 0, 9, ...u16(inner), ...bytes];
      type = 0x8864;
    }
    for (const [tpid, vid, priority] of w.tags) {
      bytes = [...u16(priority | vid), ...u16(type), ...bytes];
      type = tpid;
    }
    return { type, bytes };
  });
}

function ethernetOf(carried: Arbitrary<Carried>): Arbitrary<Bytes> {
  return fc.tuple(mac, mac, carried).map((
    [destination, source, inner],
  ) => [...destination, ...source, ...u16(inner.type), ...inner.bytes]);
}

const smallest = bytes(0, 20);
const innerPacket = fc.oneof(
  ip4Packet(smallest),
  ip6Packet(smallest),
  arpPacket,
);
const innerFrame = ethernetOf(wrapped(innerPacket));
const packet = fc.oneof(
  { weight: 4, arbitrary: ip4Packet(innerFrame) },
  { weight: 3, arbitrary: ip6Packet(innerFrame) },
  { weight: 1, arbitrary: arpPacket },
  { weight: 1, arbitrary: oldPacket },
);
const carried = wrapped(packet);

const sllType = from(0, 1, 4, 4, 3);

/** Whole packets by link type, as they would be captured. */
const WHOLE: Readonly<Record<LinkType, Arbitrary<Bytes>>> = {
  ethernet: ethernetOf(carried),
  raw: fc.oneof(ip4Packet(innerFrame), ip6Packet(innerFrame))
    .map((p) => p.bytes),
  sll: fc.tuple(sllType, bytes(12), carried).map((
    [type, address, inner],
  ): Bytes => [
    ...u16(type),
    ...address,
    ...u16(inner.type <= 1500 ? 4 - (inner.type & 1) * 3 : inner.type),
    ...inner.bytes,
  ]),
  sll2: fc.tuple(sllType, from(1, 3), bytes(9), carried).map((
    [type, index, address, inner],
  ): Bytes => [
    ...[...u16(inner.type), 0, 0, ...u32(index), 0, 1, type],
    ...address,
    ...inner.bytes,
  ]),
  null: fc.tuple(from(2, 10, 24, 30), packet).map((
    [family, inner],
  ): Bytes => [family, 0, 0, 0, ...inner.bytes]),
  loop: fc.tuple(from(2, 10, 24, 30), packet).map((
    [family, inner],
  ): Bytes => [0, 0, 0, family, ...inner.bytes]),
};

/** A packet of a link type: mostly whole, some with changed bytes, some noise. */
export function linkedFrame(
  link: LinkType,
): Arbitrary<Uint8Array<ArrayBuffer>> {
  const changes = fc.array(fc.tuple(fc.nat(80), u8), {
    minLength: 1,
    maxLength: 3,
  });
  const changed = fc.tuple(WHOLE[link], changes).map(([whole, list]) => {
    const copy = [...whole];
    for (const [at, value] of list) if (at < copy.length) copy[at] = value;
    return copy;
  });
  return fc.oneof(
    { weight: 6, arbitrary: WHOLE[link] },
    { weight: 2, arbitrary: changed },
    { weight: 1, arbitrary: bytes(0, 90) },
  ).map((list) => Uint8Array.from(list));
}

/** A VXLAN packet of the given network around a frame, and where it lies. */
export function vxlanAround(
  frame: Uint8Array,
  network: number,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0],
    ...[0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 9, 9, 9, 9, 9, 9, 9, 8],
    ...[0, 9, ...u16(4789), 0, 0, 0, 0, 8, 0, 0, 0, ...u32(network * 256)],
    ...frame,
  ]);
}
