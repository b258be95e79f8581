/** Primitives without an identifier: `broadcast`, `less 64`, `inbound`, `llc`. */

import type { Expression } from "../ast.ts";
import {
  all,
  any,
  arithmetic,
  compare,
  constant,
  not,
  type Test,
} from "../ir.ts";
import type { ProtocolName } from "../keywords.ts";
import { macAddress } from "./address.ts";
import { hasLength, isEthernet, linkCarries, masked } from "./link_protocol.ts";
import type { Lowering } from "./lowering.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

const BROADCAST: readonly number[] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/** PACKET_OUTGOING, linux/if_packet.h. */
const OUTGOING = 4;

/** Control fields of IEEE 802.2: supervisory frames, low byte. */
const LLC_SUPERVISORY: ReadonlyMap<string, number> = new Map([
  ["rr", 0x01],
  ["rnr", 0x05],
  ["rej", 0x09],
]);
/** Unnumbered frames, without the poll bit. */
const LLC_UNNUMBERED: ReadonlyMap<string, number> = new Map([
  ["ui", 0x03],
  ["ua", 0x63],
  ["disc", 0x43],
  ["dm", 0x0f],
  ["sabme", 0x6f],
  ["test", 0xe3],
  ["xid", 0xaf],
  ["frmr", 0x87],
]);

/** `broadcast`, `ether broadcast`, `ip broadcast`. */
export function broadcast(
  lowering: Lowering,
  protocol: ProtocolName | undefined,
  column: number,
): Test {
  const { layout, netmask } = lowering;
  if (protocol === undefined || protocol === "link") {
    requireEthernet(lowering, "broadcast", column);
    return macAddress(layout, BROADCAST, "dst");
  }
  if (protocol !== "ip") {
    throw lowering.error(
      column,
      `\`${protocol} broadcast\` means nothing`,
      "`ether` or `ip`",
    );
  }
  if (netmask === undefined) {
    throw lowering.error(
      column,
      "`ip broadcast` depends on the network's mask, which is not known",
      "a mask in the options, or `ether broadcast`",
    );
  }
  const host = ~netmask >>> 0;
  const destination = masked(layout.inNetwork(16, 4), host);
  return all(
    linkCarries(lowering, ETHERTYPE.ipv4, column),
    any(compare(destination, "=", 0), compare(destination, "=", host)),
  );
}

/** `multicast`, `ether multicast`, `ip multicast`, `ip6 multicast`. */
export function multicast(
  lowering: Lowering,
  protocol: ProtocolName | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  switch (protocol) {
    case undefined:
    case "link":
      requireEthernet(lowering, "multicast", column);
      return all(
        ...isEthernet(layout),
        compare(layout.inHeader(0, 1), "any-bit", 1),
      );
    case "ip":
      return all(
        linkCarries(lowering, ETHERTYPE.ipv4, column),
        compare(layout.inNetwork(16, 1), ">=", 224),
      );
    case "ip6":
      return all(
        linkCarries(lowering, ETHERTYPE.ipv6, column),
        compare(layout.inNetwork(24, 1), "=", 255),
      );
  }
  throw lowering.error(
    column,
    `\`${protocol} multicast\` means nothing`,
    "`ether`, `ip` or `ip6`",
  );
}

/** `less N` (at most N bytes on the wire) and `greater N` (at least). */
export function lengthTest(kind: "less" | "greater", value: number): Test {
  const length = { kind: "length" } as const;
  return kind === "greater"
    ? compare(length, ">=", value)
    : not(compare(length, ">", value));
}

/** `byte OFFSET OPERATOR VALUE`, an offset into the link header. */
export function byteTest(
  lowering: Lowering,
  node: Extract<Expression, { kind: "byte" }>,
): Test {
  const { operator, value, index } = node;
  const byte = lowering.layout.inHeader(index, 1);
  switch (operator) {
    case "=":
    case ">":
      return compare(byte, operator, value);
    case "<":
      return not(compare(byte, ">=", value));
    default: {
      const combined = arithmetic(
        operator === "&" ? "and" : "or",
        byte,
        constant(value),
      );
      return not(compare(combined, "=", 0));
    }
  }
}

/** `inbound` and `outbound`: only cooked headers say. */
export function directionTest(
  lowering: Lowering,
  kind: "inbound" | "outbound",
  column: number,
): Test {
  const { layout } = lowering;
  if (layout.link !== "sll" && layout.link !== "sll2") {
    throw lowering.error(
      column,
      `\`${kind}\` on link type ${layout.link}, which does not say it`,
      "a cooked capture (SLL, SLL2)",
    );
  }
  const type = layout.link === "sll"
    ? layout.inHeader(0, 2)
    : layout.inHeader(10, 1);
  const outgoing = compare(type, "=", OUTGOING);
  return kind === "outbound" ? outgoing : not(outgoing);
}

/** `ifindex N`: only an SLL2 header says. */
export function interfaceTest(
  lowering: Lowering,
  index: number,
  column: number,
): Test {
  const { layout } = lowering;
  if (layout.link !== "sll2") {
    throw lowering.error(
      column,
      `\`ifindex\` on link type ${layout.link}, which does not say it`,
      "a cooked capture (SLL2)",
    );
  }
  return compare(layout.inHeader(4, 4), "=", index);
}

/** `llc`, or `llc TYPE`: frames with an IEEE 802.2 header. */
export function llc(
  lowering: Lowering,
  type: string | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  requireEthernet(lowering, "llc", column);
  const is802 = all(
    hasLength(layout),
    not(compare(layout.inPayload(0, 2), "=", 0xffff)),
  );
  if (type === undefined) return is802;
  const control = layout.inPayload(2, 1);
  const name = type.toLowerCase();
  if (name === "i") return all(is802, not(compare(control, "any-bit", 1)));
  if (name === "s") return all(is802, compare(masked(control, 3), "=", 1));
  if (name === "u") return all(is802, compare(masked(control, 3), "=", 3));
  const supervisory = LLC_SUPERVISORY.get(name);
  if (supervisory !== undefined) {
    return all(is802, compare(masked(control, 0x0f), "=", supervisory));
  }
  const unnumbered = LLC_UNNUMBERED.get(name);
  if (unnumbered !== undefined) {
    return all(is802, compare(masked(control, 0xef), "=", unnumbered));
  }
  throw lowering.error(
    column,
    `\`${type}\` is not a type of 802.2 frame`,
    "`i`, `s`, `u`, `rr`, `rnr`, `rej`, `ui`, `ua`, `disc`, `sabme` …",
  );
}

function requireEthernet(
  lowering: Lowering,
  word: string,
  column: number,
): void {
  if (lowering.layout.link === "ethernet") return;
  throw lowering.error(
    column,
    `\`${word}\` on link type ${lowering.layout.link}`,
    "Ethernet",
  );
}
