/**
 * Filter text to a program: pcap-filter(7) as libpcap 1.10 has it, without
 * looking up any name on the network. The passes are lexer.ts, parser.ts
 * (ast.ts), lower/ (ir.ts); interpret.ts runs the result.
 */

import type { Expression } from "./ast.ts";
import { always, not, type Program, type Test } from "./ir.ts";
import type { LinkType } from "../../wire/link_type.ts";
import { listAt, listOf } from "./lower/list.ts";
import { relation } from "./lower/arithmetic.ts";
import { encapsulation } from "./lower/encapsulation.ts";
import {
  broadcast,
  byteTest,
  directionTest,
  interfaceTest,
  lengthTest,
  llc,
  multicast,
} from "./lower/keyword.ts";
import { linkCarries } from "./lower/link_protocol.ts";
import { Lowering } from "./lower/lowering.ts";
import { primitive } from "./lower/primitive.ts";
import { namedProtocol } from "./lower/protocol.ts";
import { parse } from "./parser.ts";
import { ETHERTYPE } from "../../wire/numbers.ts";

/** How a text is compiled. */
export interface CompileOptions {
  /** What the packets begin with. */
  readonly linkType: LinkType;
  /** The network's mask, for `ip broadcast`; host byte order. */
  readonly netmask?: number;
  /**
   * Whether the packets come from a capture file: IPv6 on link types `null` and
   * `loop` then has any system's number, not Linux's.
   */
  readonly savefile?: boolean;
}

/** Compiles a filter text. Throws FilterError where it is refused. */
export function compileText(text: string, options: CompileOptions): Program {
  return compileTree(text, parse(text), options);
}

/** Compiles what parse() made of `text`. Throws FilterError. */
export function compileTree(
  text: string,
  tree: Expression,
  options: CompileOptions,
): Program {
  const { linkType } = options;
  const lowering = new Lowering(text, options);
  const test = lower(lowering, tree);
  return { linkType, test, variables: lowering.layout.variables };
}

/** Lowers a tree from left to right: encapsulations move what comes after. */
function lower(lowering: Lowering, node: Expression): Test {
  switch (node.kind) {
    case "and":
      return { kind: "and", tests: lowerAll(lowering, node.operands) };
    case "or":
      return { kind: "or", tests: lowerAny(lowering, node.operands) };
    case "not":
      return not(lower(lowering, node.operand));
    default: {
      const test = leaf(lowering, node);
      lowering.count(test, node.column);
      return test;
    }
  }
}

/** Operands of `or`; addresses or ports that follow one another are one list. */
function lowerAny(
  lowering: Lowering,
  operands: readonly Expression[],
): Test[] {
  const tests: Test[] = [];
  for (let at = 0; at < operands.length;) {
    const list = listAt(operands, at);
    if (list.length === 0) {
      tests.push(lower(lowering, operands[at++]!));
      continue;
    }
    const test = listOf(lowering, list);
    lowering.count(test, list[0]!.column);
    tests.push(test);
    at += list.length;
  }
  return tests;
}

/** Operands of `and`; what is not any of several may be not one of a list. */
function lowerAll(
  lowering: Lowering,
  operands: readonly Expression[],
): Test[] {
  const tests: Test[] = [];
  for (let at = 0; at < operands.length;) {
    const denied: Expression[] = [];
    for (let node = operands[at]; node?.kind === "not"; node = operands[++at]) {
      denied.push(node.operand);
    }
    tests.push(...lowerAny(lowering, denied).map(not));
    if (at < operands.length) tests.push(lower(lowering, operands[at++]!));
  }
  return tests;
}

type Leaf = Exclude<Expression, { kind: "and" | "or" | "not" }>;

function leaf(lowering: Lowering, node: Leaf): Test {
  const { column } = node;
  switch (node.kind) {
    case "everything":
      return always(true);
    case "primitive":
      return primitive(lowering, node);
    case "protocol":
      return namedProtocol(lowering, node.protocol, column);
    case "relation":
      return relation(lowering, node);
    case "broadcast":
      return broadcast(lowering, node.protocol, column);
    case "multicast":
      return multicast(lowering, node.protocol, column);
    case "less":
    case "greater":
      return lengthTest(node.kind, node.value);
    case "byte":
      return byteTest(lowering, node);
    case "inbound":
    case "outbound":
      return directionTest(lowering, node.kind, column);
    case "ifindex":
      return interfaceTest(lowering, node.value, column);
    case "pppoed":
      return linkCarries(lowering, ETHERTYPE.pppoed, column);
    case "encapsulation":
      return encapsulation(lowering, node.header, node.number, column);
    case "llc":
      return llc(lowering, node.type, column);
  }
}
