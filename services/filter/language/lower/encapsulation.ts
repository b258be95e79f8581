/**
 * Headers that move what comes after them: VLAN tags, MPLS labels, PPPoE
 * sessions, Geneve and VXLAN.
 */

import type { Encapsulation } from "../ast.ts";
import {
  all,
  any,
  arithmetic,
  compare,
  constant,
  type Test,
  type Value,
} from "../ir.ts";
import { fixed, moved, plus } from "./layout.ts";
import { linkCarries, masked } from "./link_protocol.ts";
import type { Lowering } from "./lowering.ts";
import { port4, port6, type PortMatch } from "./port.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

const PPP_MPLS = 0x0281;
const GENEVE_PORT = 6081;
const VXLAN_PORT = 4789;

/** The largest number of each header: IEEE 802.1Q, RFC 3032, 2516, 8926, 7348. */
const NUMBER_MAX: Readonly<Record<Encapsulation, number>> = {
  vlan: 0xfff,
  mpls: 0xfffff,
  pppoes: 0xffff,
  geneve: 0xffffff,
  vxlan: 0xffffff,
};

/** Tests for a header, and has all later tests look behind it. */
export function encapsulation(
  lowering: Lowering,
  header: Encapsulation,
  number: number | undefined,
  column: number,
): Test {
  if (number !== undefined && number > NUMBER_MAX[header]) {
    throw lowering.error(
      column,
      `${header} ${number} is too large`,
      `at most ${NUMBER_MAX[header]}`,
    );
  }
  switch (header) {
    case "vlan":
      return vlan(lowering, number, column);
    case "mpls":
      return mpls(lowering, number, column);
    case "pppoes":
      return pppoeSession(lowering, number, column);
    case "geneve":
    case "vxlan":
      return tunnel(lowering, header, number, column);
  }
}

function vlan(
  lowering: Lowering,
  tag: number | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  if (layout.labels > 0) {
    throw lowering.error(column, "`vlan` after `mpls`", "it before `mpls`");
  }
  if (layout.link !== "ethernet") throw notOn(lowering, "vlan", column);
  const tests = [
    any(
      linkCarries(lowering, ETHERTYPE.vlan, column),
      linkCarries(lowering, ETHERTYPE.providerVlan, column),
      linkCarries(lowering, ETHERTYPE.oldVlan, column),
    ),
  ];
  if (tag !== undefined) {
    tests.push(compare(masked(layout.inNetwork(0, 2), 0xfff), "=", tag));
  }
  layout.payload = moved(layout.payload, 4);
  layout.type = moved(layout.type ?? fixed(0), 4);
  return all(...tests);
}

function mpls(
  lowering: Lowering,
  label: number | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  const tests: Test[] = [];
  if (layout.labels > 0) {
    // The label before this one is not the last: its S bit is clear.
    tests.push(compare(masked(layout.inNetwork(-2, 1), 1), "=", 0));
  } else if (layout.link === "ethernet") {
    tests.push(linkCarries(lowering, ETHERTYPE.mpls, column));
  } else if (layout.link === "ppp") {
    tests.push(linkCarries(lowering, PPP_MPLS, column));
  } else {
    throw notOn(lowering, "mpls", column);
  }
  if (label !== undefined) {
    const field = masked(layout.inNetwork(0, 4), 0xfffff000);
    tests.push(compare(field, "=", label * 0x1000));
  }
  layout.network += 4;
  layout.labels++;
  return all(...tests);
}

function pppoeSession(
  lowering: Lowering,
  session: number | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  const tests = [linkCarries(lowering, ETHERTYPE.pppoes, column)];
  if (session !== undefined) {
    tests.push(compare(layout.inNetwork(2, 2), "=", session));
  }
  // Six bytes of PPPoE, then PPP: two bytes of type, and the payload.
  layout.header = moved(layout.payload, layout.network + 6);
  layout.link = "ppp";
  layout.type = layout.header;
  layout.payload = moved(layout.header, 2);
  layout.network = 0;
  layout.networkNoSnap = 0;
  return all(...tests);
}

/** A tunnel over UDP, IPv4 or IPv6; then where its payload's headers are. */
function tunnel(
  lowering: Lowering,
  header: "geneve" | "vxlan",
  network: number | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  const port = header === "geneve" ? GENEVE_PORT : VXLAN_PORT;
  const match: PortMatch = {
    ports: [port],
    protocol: "udp",
    direction: "dst",
  };
  const behindIp = layout.variable();
  const ip6Length = plus(constant(40), layout.payload.variable);
  const found = any(
    all(
      port4(lowering, match, column),
      ...tunnelHeader(header, network, (o, w) => layout.behindIp4(o, w)),
      store(behindIp, layout.ip4HeaderLength()),
    ),
    all(
      port6(lowering, match, column),
      ...tunnelHeader(header, network, (o, w) => layout.behindIp6(o, w)),
      store(behindIp, ip6Length),
    ),
  );
  const udp = layout.payload.constant + layout.network;
  const start = arithmetic("add", read(behindIp), constant(udp + 8));
  lowering.hold(3, column);
  return all(
    found,
    header === "geneve"
      ? insideGeneve(lowering, start)
      : insideVxlan(lowering, start),
  );
}

function tunnelHeader(
  header: "geneve" | "vxlan",
  network: number | undefined,
  behind: (offset: number, width: 1 | 4) => Value,
): Test[] {
  const tests = [
    header === "geneve"
      ? compare(masked(behind(8, 1), 0xc0), "=", 0)
      : compare(behind(8, 1), "=", 0x08),
  ];
  if (network !== undefined) {
    const field = masked(behind(12, 4), 0xffffff00);
    tests.push(compare(field, "=", network * 0x100));
  }
  return tests;
}

/**
 * Geneve's header: 8 bytes, and options of 4 bytes a unit. Its type says
 * whether an Ethernet frame follows, or a network header at once.
 */
function insideGeneve(lowering: Lowering, start: Value): Test {
  const { layout } = lowering;
  const type = layout.variable();
  const header = layout.variable();
  const payload = layout.variable();
  const geneve = layout.variable();
  const at = (offset: number, width: 1 | 2): Value => ({
    kind: "load",
    width,
    base: read(geneve),
    offset,
  });
  const options = arithmetic("mul", masked(at(0, 1), 0x3f), constant(4));
  const end = arithmetic(
    "add",
    arithmetic("add", options, constant(8)),
    read(geneve),
  );
  enter(lowering, type, header, payload);
  return all(
    store(geneve, start),
    store(type, arithmetic("add", read(geneve), constant(2))),
    store(header, end),
    any(
      all(
        compare(at(2, 2), "=", ETHERTYPE.bridging),
        store(type, arithmetic("add", read(header), constant(12))),
        store(payload, arithmetic("add", read(header), constant(14))),
      ),
      store(payload, read(header)),
    ),
  );
}

/** VXLAN's header is 8 bytes, and an Ethernet frame follows. */
function insideVxlan(lowering: Lowering, start: Value): Test {
  const { layout } = lowering;
  const type = layout.variable();
  const header = layout.variable();
  const payload = layout.variable();
  enter(lowering, type, header, payload);
  return all(
    store(header, arithmetic("add", start, constant(8))),
    store(type, arithmetic("add", read(header), constant(12))),
    store(payload, arithmetic("add", read(header), constant(14))),
  );
}

function enter(
  lowering: Lowering,
  type: number,
  header: number,
  payload: number,
): void {
  const { layout } = lowering;
  layout.link = "ethernet";
  layout.header = { constant: 0, variable: header };
  layout.type = { constant: 0, variable: type };
  layout.payload = { constant: 0, variable: payload };
  layout.network = 0;
  layout.encapsulated = true;
}

function store(variable: number, value: Value): Test {
  return { kind: "assign", variable, value };
}

function read(variable: number): Value {
  return { kind: "variable", variable };
}

function notOn(lowering: Lowering, header: string, column: number): Error {
  return lowering.error(
    column,
    `\`${header}\` on link type ${lowering.layout.link}`,
    "Ethernet",
  );
}
