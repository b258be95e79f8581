/**
 * Lists: IPv4 addresses, or ports, that follow one another under `or`. They are
 * asked for as sets, whatever their number.
 */

import type { Expression, Primitive } from "../ast.ts";
import type { Test } from "../ir.ts";
import { addressList } from "./host.ts";
import type { Lowering } from "./lowering.ts";
import { portList } from "./port_name.ts";

/** What there are lists of. */
type Listed = "address" | "port";

/**
 * The primitives among `nodes`, from the one at `from` on, that can be one list:
 * all addresses or all ports, of one protocol and one end. Empty where there are
 * not two.
 */
export function listAt(
  nodes: readonly Expression[],
  from: number,
): Primitive[] {
  const list: Primitive[] = [];
  for (let at = from; at < nodes.length; at++) {
    const node = nodes[at]!;
    if (node.kind !== "primitive") break;
    const kind = listedAs(node);
    const first = list[0] ?? node;
    if (kind === undefined || kind !== listedAs(first)) break;
    if (node.qualifiers.protocol !== first.qualifiers.protocol) break;
    if (node.qualifiers.direction !== first.qualifiers.direction) break;
    list.push(node);
  }
  return list.length < 2 ? [] : list;
}

/** Lowers a list of which one must match, as {@link listAt} finds it. */
export function listOf(
  lowering: Lowering,
  nodes: readonly Primitive[],
): Test {
  return listedAs(nodes[0]!) === "port"
    ? portList(lowering, nodes)
    : addressList(lowering, nodes);
}

const ADDRESS_PROTOCOLS: readonly unknown[] = [undefined, "ip", "arp", "rarp"];
const PORT_PROTOCOLS: readonly unknown[] = [undefined, "tcp", "udp", "sctp"];

/** What a primitive can be in a list of; undefined for none. */
function listedAs(
  { identifier, qualifiers }: Primitive,
): Listed | undefined {
  const { protocol, type, direction } = qualifiers;
  const isNumber = identifier.kind === "number";
  // Each has a source and a destination that belong together.
  if (direction === "src and dst") return undefined;
  if (type === "port") {
    return isNumber && PORT_PROTOCOLS.includes(protocol) ? "port" : undefined;
  }
  if (type !== undefined && type !== "host" && type !== "net") return undefined;
  return (isNumber || identifier.kind === "ip4") &&
      ADDRESS_PROTOCOLS.includes(protocol)
    ? "address"
    : undefined;
}
