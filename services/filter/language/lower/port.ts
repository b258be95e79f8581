/** Tests of ports, in TCP, UDP and SCTP over IPv4 and IPv6. */

import type { Direction } from "../ast.ts";
import {
  all,
  any,
  compare,
  member,
  not,
  type Test,
  type Value,
} from "../ir.ts";
import { directed, listed } from "./address.ts";
import type { Layout } from "./layout.ts";
import { linkCarries } from "./link_protocol.ts";
import type { Lowering } from "./lowering.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

/** Numbers of the protocols that have ports. */
export const PORT_PROTOCOLS = { sctp: 132, tcp: 6, udp: 17 } as const;

/** Ports of one protocol or of each. */
export interface PortMatch {
  /** Ports of which one must match, in the order in which they are written; or a range, inclusive. */
  readonly ports: readonly number[] | {
    readonly low: number;
    readonly high: number;
  };
  /** The protocol; undefined for TCP, UDP and SCTP. */
  readonly protocol: keyof typeof PORT_PROTOCOLS | undefined;
  /** Which end; undefined for either. */
  readonly direction: Direction | undefined;
}

/** Ports over IPv6, then over IPv4. */
export function port(
  lowering: Lowering,
  match: PortMatch,
  column: number,
): Test {
  return any(port6(lowering, match, column), port4(lowering, match, column));
}

/** Ports over IPv4: of whole datagrams and first fragments. */
export function port4(
  lowering: Lowering,
  match: PortMatch,
  column: number,
): Test {
  const { layout } = lowering;
  return all(
    linkCarries(lowering, ETHERTYPE.ipv4, column),
    eachProtocol(match, layout.inNetwork(9, 1), [
      isFirstFragment(layout),
      ends(match, (offset) => layout.behindIp4(offset, 2)),
    ]),
  );
}

/** Ports over IPv6, where no extension header is before them. */
export function port6(
  lowering: Lowering,
  match: PortMatch,
  column: number,
): Test {
  const { layout } = lowering;
  return all(
    linkCarries(lowering, ETHERTYPE.ipv6, column),
    eachProtocol(match, layout.inNetwork(6, 1), [
      ends(match, (offset) => layout.behindIp6(offset, 2)),
    ]),
  );
}

/** Whether an IPv4 datagram's transport header is in this packet. */
export function isFirstFragment(layout: Layout): Test {
  return not(compare(layout.inNetwork(6, 2), "any-bit", 0x1fff));
}

/** For any protocol of `match`: `field` says that it is this one, and `then` holds. */
function eachProtocol(
  { protocol }: PortMatch,
  field: Value,
  then: readonly Test[],
): Test {
  const numbers = protocol === undefined
    ? Object.values(PORT_PROTOCOLS)
    : [PORT_PROTOCOLS[protocol]];
  return any(
    ...numbers.map((number) => all(compare(field, "=", number), ...then)),
  );
}

function ends(
  { ports, direction }: PortMatch,
  field: (offset: number) => Value,
): Test {
  const at = (end: "src" | "dst") => field(end === "src" ? 0 : 2);
  if (!("low" in ports)) {
    return listed(direction, ports, (end, some) => member(at(end), some));
  }
  return directed(direction, (end) =>
    all(
      compare(at(end), ">=", ports.low),
      not(compare(at(end), ">", ports.high)),
    ));
}
