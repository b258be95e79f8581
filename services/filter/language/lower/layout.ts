/**
 * Where headers lie, as far as the text has been read. `vlan`, `mpls`,
 * `pppoes`, `geneve` and `vxlan` move these offsets for everything that is
 * written after them, whatever `or` or `not` stands around: so lowering goes
 * through a text from left to right and keeps this as it goes.
 */

import { arithmetic, constant, type Load, type Value } from "../ir.ts";
import type { LinkType } from "../../../wire/link_type.ts";

/** A place in the packet: a constant, and a variable's value where it has one. */
export interface Offset {
  /** Bytes from the packet's first, or from the variable's value. */
  readonly constant: number;
  /** The variable's number. */
  readonly variable: number | undefined;
}

/** A link type, or PPP within a PPPoE session. */
export type Link = LinkType | "ppp";

interface Shape {
  /** Where the field is that names the protocol; undefined where none does. */
  readonly type: number | undefined;
  readonly payload: number;
  /** From the payload to the network header behind an 802.2 header. */
  readonly networkNoSnap: number;
}

const SHAPES: Readonly<Record<LinkType, Shape>> = {
  ethernet: { type: 12, payload: 14, networkNoSnap: 3 },
  raw: { type: undefined, payload: 0, networkNoSnap: 0 },
  sll: { type: 14, payload: 16, networkNoSnap: 0 },
  sll2: { type: 0, payload: 20, networkNoSnap: 0 },
  null: { type: 0, payload: 4, networkNoSnap: 0 },
  loop: { type: 0, payload: 4, networkNoSnap: 0 },
};

/** The offsets of headers; see the top of this file. */
export class Layout {
  /** What the link header is. */
  link: Link;
  /** The link header. */
  header: Offset = fixed(0);
  /** What the link header carries. */
  payload: Offset;
  /** The field that names what it carries; undefined where there is none. */
  type: Offset | undefined;
  /** From the payload to the network header. */
  network = 0;
  /** From the payload to the network header, behind an 802.2 header without SNAP. */
  networkNoSnap: number;
  /** MPLS labels passed. */
  labels = 0;
  /** Within Geneve or VXLAN, where no link header need be. */
  encapsulated = false;
  /** Variables in use. */
  variables = 0;

  /** The layout before the first word. */
  constructor(linkType: LinkType) {
    const shape = SHAPES[linkType];
    this.link = linkType;
    this.payload = fixed(shape.payload);
    this.type = shape.type === undefined ? undefined : fixed(shape.type);
    this.networkNoSnap = shape.networkNoSnap;
  }

  /** A new variable's number. */
  variable(): number {
    return this.variables++;
  }

  /** Bytes of the link header. */
  inHeader(offset: number, width: Load["width"]): Value {
    return loadAt(this.header, offset, width);
  }

  /** Bytes of the field that names the protocol, or from it on. */
  inType(offset: number, width: Load["width"]): Value {
    return loadAt(this.type ?? fixed(0), offset, width);
  }

  /** Bytes behind the link header: an 802.2 header's. */
  inPayload(offset: number, width: Load["width"]): Value {
    return loadAt(this.payload, offset, width);
  }

  /** Bytes of the network header. */
  inNetwork(offset: number, width: Load["width"]): Value {
    return loadAt(this.payload, this.network + offset, width);
  }

  /** Bytes of the network header behind an 802.2 header without SNAP. */
  inNetworkNoSnap(offset: number, width: Load["width"]): Value {
    return loadAt(this.payload, this.networkNoSnap + offset, width);
  }

  /** Bytes behind the IPv6 header, which is 40 bytes long. */
  behindIp6(offset: number, width: Load["width"]): Value {
    return loadAt(this.payload, this.network + 40 + offset, width);
  }

  /** Bytes behind the IPv4 header, at `index + offset` where one is given. */
  behindIp4(offset: number, width: Load["width"], index?: Value): Value {
    const length = this.ip4HeaderLength();
    return {
      kind: "load",
      width,
      base: index === undefined ? length : arithmetic("add", index, length),
      offset: (this.payload.constant + this.network + offset) >>> 0,
    };
  }

  /** The IPv4 header's length, and the payload's variable with it. */
  ip4HeaderLength(): Value {
    const first = this.inNetwork(0, 1);
    const length = arithmetic(
      "lsh",
      arithmetic("and", first, constant(15)),
      constant(2),
    );
    return plus(length, this.payload.variable);
  }
}

/** A place that does not depend on the packet. */
export function fixed(offset: number): Offset {
  return { constant: offset, variable: undefined };
}

/** `place` moved by a constant. */
export function moved(place: Offset, by: number): Offset {
  return { constant: place.constant + by, variable: place.variable };
}

/** A value, and a variable's with it where one is given. */
export function plus(value: Value, variable: number | undefined): Value {
  return variable === undefined
    ? value
    : arithmetic("add", value, { kind: "variable", variable });
}

/** Bytes at `place + offset`. */
function loadAt(
  place: Offset,
  offset: number,
  width: Load["width"],
): Value {
  return {
    kind: "load",
    width,
    base: place.variable === undefined
      ? undefined
      : { kind: "variable", variable: place.variable },
    offset: (place.constant + offset) >>> 0,
  };
}
