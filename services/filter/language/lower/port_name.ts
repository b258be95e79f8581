/** Identifiers that are ports: `tcp port http`, `portrange 6000-6008`. */

import type { Primitive } from "../ast.ts";
import type { Test } from "../ir.ts";
import { type NamedPort, portOf } from "../names.ts";
import type { Lowering } from "./lowering.ts";
import { port, PORT_PROTOCOLS } from "./port.ts";

type PortProtocol = keyof typeof PORT_PROTOCOLS;

/** Lowers `port` and `portrange`. */
export function portPrimitive(lowering: Lowering, node: Primitive): Test {
  const { qualifiers, column } = node;
  const { protocol, direction } = qualifiers;
  const type = qualifiers.type === "port" ? "port" : "portrange";
  if (protocol !== undefined && !(protocol in PORT_PROTOCOLS)) {
    throw lowering.error(
      column,
      `\`${protocol}\` has no ports`,
      `\`tcp\`, \`udp\`, \`sctp\` or nothing before \`${type}\``,
    );
  }
  const wanted = protocol as PortProtocol | undefined;
  const range = portsOf(lowering, node);
  if (
    wanted !== undefined && range.protocol !== undefined &&
    range.protocol !== wanted
  ) {
    throw lowering.error(
      column,
      `this is a name of ${range.protocol.toUpperCase()} alone`,
      `\`${range.protocol}\`, or a number`,
    );
  }
  const { first, last } = range;
  return port(lowering, {
    ports: type === "port"
      ? [first]
      : { low: Math.min(first, last), high: Math.max(first, last) },
    protocol: wanted ?? range.protocol,
    direction,
  }, column);
}

/** Lowers numbers of ports, all of one protocol and end, of which one must match. */
export function portList(
  lowering: Lowering,
  nodes: readonly Primitive[],
): Test {
  const { qualifiers, column } = nodes[0]!;
  const { protocol, direction } = qualifiers;
  const ports = nodes.map((node) => portsOf(lowering, node).first);
  const wanted = protocol as PortProtocol | undefined;
  return port(lowering, { ports, protocol: wanted, direction }, column);
}

interface Ports {
  readonly first: number;
  readonly last: number;
  readonly protocol: "tcp" | "udp" | undefined;
}

function portsOf(lowering: Lowering, node: Primitive): Ports {
  const { identifier, qualifiers, column } = node;
  if (identifier.kind === "number") {
    const number = portNumber(lowering, identifier.value, column);
    return { first: number, last: number, protocol: undefined };
  }
  if (identifier.kind !== "name") {
    throw lowering.error(
      column,
      "an address in the place of a port",
      "a number or a name",
    );
  }
  const { text } = identifier;
  if (qualifiers.type === "port") {
    const { port: first, protocol } = namedPort(lowering, text, column);
    return { first, last: first, protocol };
  }
  const at = text.indexOf("-");
  if (at <= 0 || text.indexOf("-", at + 1) >= 0) {
    throw lowering.error(
      column,
      `\`${text}\` is not a range of ports`,
      "two ports and one hyphen, such as 6000-6008",
    );
  }
  const low = rangeEnd(lowering, text.slice(0, at), column);
  const high = rangeEnd(lowering, text.slice(at + 1), column);
  const protocol = low.protocol === high.protocol ? low.protocol : undefined;
  return { first: low.port, last: high.port, protocol };
}

function rangeEnd(
  lowering: Lowering,
  text: string,
  column: number,
): NamedPort {
  if (!/^[0-9]+$/.test(text)) return namedPort(lowering, text, column);
  const port = portNumber(lowering, Number(text), column);
  return { port, protocol: undefined };
}

function namedPort(
  lowering: Lowering,
  name: string,
  column: number,
): NamedPort {
  const named = portOf(name);
  if (named !== undefined) return named;
  throw lowering.error(
    column,
    `\`${name}\` is not the name of a port`,
    "a number, or a name such as `http`",
  );
}

function portNumber(
  lowering: Lowering,
  number: number,
  column: number,
): number {
  if (number <= 0xffff) return number;
  throw lowering.error(column, `port ${number}`, "at most 65535");
}
