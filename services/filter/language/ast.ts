/**
 * A filter text as it was written, the qualifiers that primitives inherit from
 * their neighbours filled in. Columns count from 1.
 */

import type { ProtocolName } from "./keywords.ts";

/** Which of a packet's two addresses or ports; undefined for either. */
export type Direction = "src" | "dst" | "src or dst" | "src and dst";

/** What kind of thing an identifier names. */
export type AddressType =
  | "host"
  | "net"
  | "port"
  | "portrange"
  | "proto"
  | "protochain"
  | "gateway";

/** What stands before an identifier. */
export interface Qualifiers {
  /** The protocol; undefined for every one that fits. */
  readonly protocol: ProtocolName | undefined;
  /** The end; undefined for either. */
  readonly direction: Direction | undefined;
  /** The type; undefined means `host`. */
  readonly type: AddressType | undefined;
}

/** What a primitive names. */
export type Identifier =
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "mac"; readonly text: string }
  | {
    readonly kind: "ip4";
    readonly text: string;
    /** `/N`, or `mask ADDRESS`. */
    readonly prefix?: number;
    readonly mask?: string;
  }
  | { readonly kind: "ip6"; readonly text: string; readonly prefix?: number };

/** A value, 32 bits unsigned. `depth` counts operators under one another. */
export type Arithmetic =
  | {
    readonly kind: "number";
    readonly value: number;
    readonly depth: number;
    readonly column: number;
  }
  | { readonly kind: "len"; readonly depth: number; readonly column: number }
  | {
    readonly kind: "load";
    readonly protocol: ProtocolName;
    readonly index: Arithmetic;
    readonly size: number;
    readonly depth: number;
    readonly column: number;
  }
  | {
    readonly kind: "negate";
    readonly operand: Arithmetic;
    readonly depth: number;
    readonly column: number;
  }
  | {
    readonly kind: "binary";
    readonly operator: ArithmeticOperator;
    readonly left: Arithmetic;
    readonly right: Arithmetic;
    readonly depth: number;
    readonly column: number;
  };

/** The operators of arithmetic. */
export type ArithmeticOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "&"
  | "|"
  | "^"
  | "<<"
  | ">>";

/** The operators of comparison. */
export type Relation = ">" | ">=" | "=" | "<=" | "<" | "!=";

/** Headers that move all offsets after them. */
export type Encapsulation = "vlan" | "mpls" | "pppoes" | "geneve" | "vxlan";

/** A filter, or a part of one. */
export type Expression = { readonly column: number } & ExpressionBody;

/** What an {@link Expression} says. */
export type ExpressionBody =
  /** The empty text: every packet. */
  | { readonly kind: "everything" }
  | {
    readonly kind: "and" | "or";
    readonly operands: readonly Expression[];
  }
  | { readonly kind: "not"; readonly operand: Expression }
  | {
    readonly kind: "primitive";
    readonly qualifiers: Qualifiers;
    readonly identifier: Identifier;
  }
  /** A protocol's name alone. */
  | { readonly kind: "protocol"; readonly protocol: ProtocolName }
  | {
    readonly kind: "relation";
    readonly relation: Relation;
    readonly left: Arithmetic;
    readonly right: Arithmetic;
  }
  | {
    readonly kind: "broadcast" | "multicast";
    readonly protocol: ProtocolName | undefined;
  }
  | { readonly kind: "less" | "greater" | "ifindex"; readonly value: number }
  | {
    readonly kind: "byte";
    readonly index: number;
    readonly operator: string;
    readonly value: number;
  }
  | { readonly kind: "inbound" | "outbound" | "pppoed" }
  | {
    readonly kind: "encapsulation";
    readonly header: Encapsulation;
    /** The VLAN's, label's, session's or network's number, if one was named. */
    readonly number: number | undefined;
  }
  | { readonly kind: "llc"; readonly type: string | undefined };

/** An identifier with its qualifiers. */
export type Primitive = Extract<Expression, { kind: "primitive" }>;
