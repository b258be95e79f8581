/**
 * Arithmetic and comparisons of it.
 *
 * Bytes of a protocol's header are loaded only from packets of that protocol:
 * each load brings a guard. As in libpcap, an operator keeps its left
 * operand's guard and forgets its right one's: `1 + ip[0] = 70` looks at that
 * byte in every packet.
 */

import type { Arithmetic, ArithmeticOperator, Relation } from "../ast.ts";
import {
  all,
  arithmetic,
  compare,
  constant,
  type Load,
  not,
  type Operator,
  type Test,
  type Value,
} from "../ir.ts";
import type { ProtocolName } from "../keywords.ts";
import { linkCarries } from "./link_protocol.ts";
import { type Offset, plus } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { isFirstFragment } from "./port.ts";
import { namedProtocol } from "./protocol.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

/** A value, and the guards that must be true before it is looked at. */
interface Guarded {
  readonly value: Value;
  readonly guards: readonly Test[];
}

const OPERATORS: Readonly<Record<ArithmeticOperator, Operator>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "mod",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<<": "lsh",
  ">>": "rsh",
};

const NETWORK: readonly ProtocolName[] = [
  "ip",
  "arp",
  "rarp",
  "atalk",
  "decnet",
  "sca",
  "lat",
  "moprc",
  "mopdl",
  "ip6",
];
const TRANSPORT: readonly ProtocolName[] = [
  "sctp",
  "tcp",
  "udp",
  "icmp",
  "igmp",
  "igrp",
  "pim",
  "vrrp",
  "carp",
];
const ICMP6 = 58;

/** A comparison of two values, behind their guards. */
export function relation(
  lowering: Lowering,
  node: {
    readonly relation: Relation;
    readonly left: Arithmetic;
    readonly right: Arithmetic;
    readonly column: number;
  },
): Test {
  const left = evaluate(lowering, node.left);
  const right = evaluate(lowering, node.right);
  lowering.hold(-2, node.column);
  return all(
    ...left.guards,
    ...right.guards,
    related(node.relation, left.value, right.value),
  );
}

function related(relation: Relation, left: Value, right: Value): Test {
  switch (relation) {
    case "=":
    case ">":
    case ">=":
      return compare(left, relation, right);
    case "!=":
      return not(compare(left, "=", right));
    case "<=":
      return not(compare(left, ">", right));
    case "<":
      return not(compare(left, ">=", right));
  }
}

/** Lowers arithmetic; its result holds one register. */
function evaluate(lowering: Lowering, node: Arithmetic): Guarded {
  switch (node.kind) {
    case "number":
      lowering.hold(1, node.column);
      return { value: constant(node.value), guards: [] };
    case "len":
      lowering.hold(1, node.column);
      return { value: { kind: "length" }, guards: [] };
    case "negate": {
      const { value, guards } = evaluate(lowering, node.operand);
      return { value: { kind: "negate", operand: value }, guards };
    }
    case "binary":
      return binary(lowering, node);
    case "load": {
      const index = evaluate(lowering, node.index);
      lowering.hold(1, node.column);
      lowering.hold(-1, node.column);
      return loaded(lowering, node, index);
    }
  }
}

function binary(
  lowering: Lowering,
  node: Extract<Arithmetic, { kind: "binary" }>,
): Guarded {
  const left = evaluate(lowering, node.left);
  const right = evaluate(lowering, node.right);
  lowering.hold(-1, node.column);
  if (node.right.kind === "number") {
    checkConstant(lowering, node.operator, node.right);
  }
  return {
    value: arithmetic(OPERATORS[node.operator], left.value, right.value),
    guards: left.guards,
  };
}

function checkConstant(
  lowering: Lowering,
  operator: ArithmeticOperator,
  right: Extract<Arithmetic, { kind: "number" }>,
): void {
  const { value, column } = right;
  if ((operator === "/" || operator === "%") && value === 0) {
    throw lowering.error(column, "division by zero", "another number");
  }
  if ((operator === "<<" || operator === ">>") && value > 31) {
    throw lowering.error(column, `a shift by ${value} bits`, "at most 31");
  }
}

function loaded(
  lowering: Lowering,
  node: Extract<Arithmetic, { kind: "load" }>,
  index: Guarded,
): Guarded {
  const { layout } = lowering;
  const { protocol, column } = node;
  const width = node.size as Load["width"];
  const network = layout.network;
  if (protocol === "link") {
    return {
      value: indexed(layout.header, index.value, 0, width),
      guards: index.guards,
    };
  }
  if (NETWORK.includes(protocol)) {
    return {
      value: indexed(layout.payload, index.value, network, width),
      guards: [...index.guards, namedProtocol(lowering, protocol, column)],
    };
  }
  if (TRANSPORT.includes(protocol)) {
    return {
      value: layout.behindIp4(0, width, index.value),
      guards: [
        linkCarries(lowering, ETHERTYPE.ipv4, column),
        ...index.guards,
        namedProtocol(lowering, protocol, column),
        isFirstFragment(layout),
      ],
    };
  }
  if (protocol === "icmp6") {
    return {
      value: indexed(layout.payload, index.value, network + 40, width),
      guards: [
        ...index.guards,
        linkCarries(lowering, ETHERTYPE.ipv6, column),
        compare(layout.inNetwork(6, 1), "=", ICMP6),
      ],
    };
  }
  throw lowering.error(
    column,
    `bytes of \`${protocol}\` cannot be reached by an offset`,
    "`ether`, `ip`, `ip6`, `arp`, `tcp`, `udp`, `icmp`, `icmp6` …",
  );
}

/** Bytes at `place + offset + index`. */
function indexed(
  place: Offset,
  index: Value,
  offset: number,
  width: Load["width"],
): Value {
  return {
    kind: "load",
    width,
    base: plus(index, place.variable),
    offset: (place.constant + offset) >>> 0,
  };
}
