/** The terms of `port` and `portrange`. */

import { IP_PROTOCOL, type IpPayload } from "../grant.ts";
import { ipTerm, type Phrase, unsayable } from "./phrase.ts";
import type { Term } from "./terms.ts";
import type { Direction, Primitive } from "../../language/ast.ts";
import { portOf } from "../../language/names.ts";

type PortProtocol = "tcp" | "udp" | "sctp";

const PORT_PROTOCOLS: readonly PortProtocol[] = ["sctp", "tcp", "udp"];

/** Ports of TCP, UDP and SCTP, over IPv6 and IPv4. The text was compiled before. */
export function grantPort(node: Primitive, phrase: Phrase): Term[] {
  const { qualifiers, column } = node;
  const [low, high, named] = portsOf(node, phrase);
  const range = { low: Math.min(low, high), high: Math.max(low, high) };
  const protocol = qualifiers.protocol as PortProtocol | undefined ?? named;
  const protocols = protocol === undefined ? PORT_PROTOCOLS : [protocol];
  return (["ipv6", "ipv4"] as const).flatMap((kind) =>
    protocols.flatMap((one) =>
      endsOf(qualifiers.direction).map(({ src, dst }) => {
        const payload: IpPayload = {
          kind,
          fragment: "whole",
          protocol: IP_PROTOCOL[one],
          ...(src ? { srcPort: range } : {}),
          ...(dst ? { dstPort: range } : {}),
        };
        return ipTerm(payload, column, phrase);
      })
    )
  );
}

/** Which ends a direction asks about, in every way that will do. */
export function endsOf(
  direction: Direction | undefined,
): { readonly src: boolean; readonly dst: boolean }[] {
  const src = { src: true, dst: false };
  const dst = { src: false, dst: true };
  switch (direction) {
    case "src":
      return [src];
    case "dst":
      return [dst];
    case "src and dst":
      return [{ src: true, dst: true }];
    default:
      return [src, dst];
  }
}

function portsOf(
  { qualifiers, identifier, column }: Primitive,
  phrase: Phrase,
): readonly [number, number, "tcp" | "udp" | undefined] {
  if (identifier.kind === "number") {
    return [identifier.value, identifier.value, undefined];
  }
  if (identifier.kind !== "name") throw unsayable(column, phrase);
  const names = qualifiers.type === "portrange"
    ? identifier.text.split("-")
    : [identifier.text];
  const ports = names.map((name) =>
    /^[0-9]+$/.test(name) && qualifiers.type === "portrange"
      ? { port: Number(name), protocol: undefined }
      : portOf(name)
  );
  const [first, last = first] = ports;
  if (first === undefined || last === undefined) {
    throw unsayable(column, phrase);
  }
  const protocol = first.protocol === last.protocol
    ? first.protocol
    : undefined;
  return [first.port, last.port, protocol];
}
