/** Identifiers with their qualifiers: `src host 10.0.0.1`, `tcp port 80`. */

import type { Primitive, Qualifiers } from "../ast.ts";
import type { Test } from "../ir.ts";
import { etherProtocolOf, ipProtocolOf, isoProtocolOf } from "../names.ts";
import { address } from "./host.ts";
import type { Lowering } from "./lowering.ts";
import { portPrimitive } from "./port_name.ts";
import { numberedProtocol, protochain } from "./protocol.ts";

/** Lowers an identifier. */
export function primitive(lowering: Lowering, node: Primitive): Test {
  const { type } = node.qualifiers;
  switch (type) {
    case "port":
    case "portrange":
      return portPrimitive(lowering, node);
    case "proto":
    case "protochain": {
      const number = protocolNumber(lowering, node);
      const { protocol } = node.qualifiers;
      return type === "proto"
        ? numberedProtocol(lowering, protocol, number, node.column)
        : protochain(lowering, protocol, number, node.column);
    }
    case "gateway":
      throw lowering.error(
        node.column,
        "`gateway` needs a host's name looked up in two places, and no name " +
          "is looked up here",
        "`ether host MAC and not host ADDRESS`",
      );
    default:
      return address(lowering, node);
  }
}

function protocolNumber(lowering: Lowering, node: Primitive): number {
  const { identifier, qualifiers, column } = node;
  if (identifier.kind === "number") return identifier.value;
  if (identifier.kind !== "name") {
    throw lowering.error(
      column,
      "an address in the place of a protocol",
      "a number or a name",
    );
  }
  const number = lookUp(identifier.text, qualifiers.protocol);
  if (number !== undefined) return number;
  throw lowering.error(
    column,
    `\`${identifier.text}\` is not the name of a protocol`,
    "a number, or a name such as `\\tcp`",
  );
}

function lookUp(
  name: string,
  under: Qualifiers["protocol"],
): number | undefined {
  if (under === "link") return etherProtocolOf(name);
  if (under === "iso") return isoProtocolOf(name);
  return under === undefined || under === "ip" || under === "ip6"
    ? ipProtocolOf(name)
    : undefined;
}
