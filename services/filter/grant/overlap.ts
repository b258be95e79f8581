/**
 * Whether two grants share a frame. A conjunction asks of each field on its own
 * for a prefix, a mask or a range; two such sets either share a value or not, so
 * two conjunctions overlap exactly when each field's sets do and their layers
 * (tag, type, protocol) agree. The intersection of two conjunctions is a
 * conjunction again, and none is empty: a frame can be built of any.
 */

import { given } from "../../../caps/kernel/given.ts";
import type {
  ArpPayload,
  Conjunction,
  Grant,
  IpPayload,
  MacPattern,
  Payload,
  PortRange,
  Prefix,
} from "./grant.ts";
import { prefixMask } from "./check.ts";
import { ETHERTYPE } from "../../wire/numbers.ts";

/** Whether some frame matches both. */
export function overlaps(a: Grant, b: Grant): boolean {
  return a.some((one) => b.some((two) => intersect(one, two) !== undefined));
}

/** The frames that match both, as one conjunction; undefined when there are none. */
export function intersect(
  a: Conjunction,
  b: Conjunction,
): Conjunction | undefined {
  const etherDst = both(a.etherDst, b.etherDst, intersectMacs);
  const etherSrc = both(a.etherSrc, b.etherSrc, intersectMacs);
  const payload = both(a.payload, b.payload, intersectPayloads);
  if (etherDst === NONE || etherSrc === NONE || payload === NONE) {
    return undefined;
  }
  // A payload without a VLAN means untagged; nothing at all leaves it open.
  if (isUntagged(a) && b.vlan !== undefined) return undefined;
  if (isUntagged(b) && a.vlan !== undefined) return undefined;
  const vlan = both(a.vlan, b.vlan, intersectVlans);
  if (vlan === NONE) return undefined;
  return {
    ...given({ etherDst, etherSrc, vlan, payload }),
  };
}

function isUntagged(conjunction: Conjunction): boolean {
  return conjunction.vlan === undefined && conjunction.payload !== undefined;
}

/** "No value is in both", where undefined says "any value will do". */
const NONE = Symbol("none");
type None = typeof NONE;

function both<T extends NonNullable<unknown>>(
  a: T | undefined,
  b: T | undefined,
  meet: (a: T, b: T) => T | None,
): T | undefined | None {
  if (a === undefined) return b;
  return b === undefined ? a : meet(a, b);
}

function intersectMacs(a: MacPattern, b: MacPattern): MacPattern | None {
  const agree = a.address.every((byte, index) =>
    ((byte ^ b.address[index]!) & a.mask[index]! & b.mask[index]!) === 0
  );
  if (!agree) return NONE;
  return {
    address: a.address.map((byte, index) => byte | b.address[index]!),
    mask: a.mask.map((byte, index) => byte | b.mask[index]!),
  };
}

function intersectVlans(
  a: number | "any",
  b: number | "any",
): number | "any" | None {
  if (a === "any") return b;
  return b === "any" || a === b ? a : NONE;
}

function intersectPayloads(a: Payload, b: Payload): Payload | None {
  if (a.kind === "type") return etherTypeOf(b) === a.etherType ? b : NONE;
  if (b.kind === "type") return etherTypeOf(a) === b.etherType ? a : NONE;
  if (a.kind === "arp") return b.kind === "arp" ? intersectArps(a, b) : NONE;
  return b.kind === a.kind ? intersectIps(a, b) : NONE;
}

function etherTypeOf(payload: Payload): number {
  return payload.kind === "type" ? payload.etherType : ETHERTYPE[payload.kind];
}

function intersectArps(a: ArpPayload, b: ArpPayload): ArpPayload | None {
  const operation = both(a.operation, b.operation, equal);
  const sender = both(a.sender, b.sender, intersectPrefixes);
  const target = both(a.target, b.target, intersectPrefixes);
  if (operation === NONE || sender === NONE || target === NONE) return NONE;
  return {
    kind: "arp",
    ...given({ operation, sender, target }),
  };
}

function intersectIps(a: IpPayload, b: IpPayload): IpPayload | None {
  const src = both(a.src, b.src, intersectPrefixes);
  const dst = both(a.dst, b.dst, intersectPrefixes);
  const protocol = both(a.protocol, b.protocol, equal);
  const srcPort = both(a.srcPort, b.srcPort, intersectRanges);
  const dstPort = both(a.dstPort, b.dstPort, intersectRanges);
  const icmpType = both(a.icmpType, b.icmpType, equal);
  const classes = [a.fragment, b.fragment].filter((one) => one !== "any");
  if (
    src === NONE || dst === NONE || protocol === NONE || srcPort === NONE ||
    dstPort === NONE || icmpType === NONE || new Set(classes).size > 1
  ) return NONE;
  return {
    kind: a.kind,
    ...given({ src, dst }),
    fragment: classes[0] ?? "any",
    ...given({ protocol, srcPort, dstPort, icmpType }),
  };
}

function equal(a: number, b: number): number | None {
  return a === b ? a : NONE;
}

function intersectPrefixes(a: Prefix, b: Prefix): Prefix | None {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const within = short.address.every((byte, index) =>
    (long.address[index]! & prefixMask(short.length, index)) === byte
  );
  return within ? long : NONE;
}

function intersectRanges(a: PortRange, b: PortRange): PortRange | None {
  const low = Math.max(a.low, b.low);
  const high = Math.min(a.high, b.high);
  return low <= high ? { low, high } : NONE;
}
