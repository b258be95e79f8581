/**
 * Flows in three spellings (a grant, libpcap's text, the numbers that the C
 * tables take), and a mix of frames of which half are somebody's.
 *
 * Flow i, counted from 0, gets slot i + 1. The even ones are UDP ports, the odd
 * ones TCP 5-tuples; bench/reference/flows.c has the first ten in its code.
 */

import { ipv4 } from "../../services/filter/grant/builder.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import {
  addressNumber,
  type DatagramFields,
  ICMP,
  makeArpRequest,
  makeDatagram,
  TCP,
  UDP,
} from "./frame.ts";
import { seededRandom } from "./random.ts";

/** How many flows are installed, case by case. */
export const FLOW_COUNTS = [10, 100, 1000, 10000] as const;

/** The address that all flows lead to. */
const OURS = "10.77.0.2";
const SERVER_PORT = 443;

/** One flow. */
export interface FlowCase {
  readonly slot: number;
  readonly grant: Grant;
  /** Filter text for libpcap that means the flow. */
  readonly text: string;
  /** Fields that a packet of the flow must have. */
  readonly wants: Wanted;
}

/** The fields in which the flows differ. Absent ones may be anything. */
export interface Wanted {
  readonly protocol: "udp" | "tcp";
  /** As a number; most significant byte first. */
  readonly source?: number;
  readonly sourcePort?: number;
  readonly port: number;
}

/** The first `count` flows. */
export function flowCases(count: number): FlowCase[] {
  return Array.from({ length: count }, (_, index) => flowCase(index));
}

function flowCase(index: number): FlowCase {
  const slot = index + 1;
  if (index % 2 === 0) {
    const port = 1000 + 7 * (index / 2);
    return {
      slot,
      grant: ipv4().udp().dst(OURS).dstPort(port).grant,
      text: `ip and dst host ${OURS} and udp dst port ${port}`,
      wants: { protocol: "udp", port },
    };
  }
  const source = `10.78.${index >>> 8}.${index & 255}`;
  const sourcePort = 40000 + index;
  return {
    slot,
    grant: ipv4().tcp().src(source).dst(OURS).srcPort(sourcePort)
      .dstPort(SERVER_PORT).grant,
    text: `ip and src host ${source} and dst host ${OURS} and tcp ` +
      `src port ${sourcePort} and tcp dst port ${SERVER_PORT}`,
    wants: {
      protocol: "tcp",
      source: addressNumber(source),
      sourcePort,
      port: SERVER_PORT,
    },
  };
}

/**
 * `count` frames: half are one flow's each, drawn at random; a quarter miss by a
 * port; a quarter are ARP, IPv6, in a VLAN, ICMP, for others, or cut short.
 */
export function flowFrames(
  flows: readonly FlowCase[],
  count: number,
): Uint8Array<ArrayBuffer>[] {
  const random = seededRandom(0x5a11);
  return Array.from({ length: count }, () => {
    const { wants } = flows[Math.floor(random() * flows.length)]!;
    const fields = fieldsOf(wants, random);
    const chance = random();
    if (chance < 0.5) return makeDatagram(fields);
    if (chance > 0.75) return spoiled(fields, Math.floor(random() * 6));
    // Ports from 1000 on are seven apart: one more is no flow's.
    return makeDatagram({ ...fields, targetPort: fields.targetPort + 1 });
  });
}

/** One frame of a flow's. */
export function flowFrame(flow: FlowCase): Uint8Array<ArrayBuffer> {
  return makeDatagram(fieldsOf(flow.wants, seededRandom(flow.slot)));
}

function fieldsOf(wants: Wanted, random: () => number): DatagramFields {
  return {
    version: 4,
    source: wants.source ?? addressNumber("10.79.1.1"),
    target: addressNumber(OURS),
    protocol: wants.protocol === "udp" ? UDP : TCP,
    sourcePort: wants.sourcePort ?? 1024 + Math.floor(random() * 60000),
    targetPort: wants.port,
  };
}

/** Nobody's, in one of six ways. */
function spoiled(
  fields: DatagramFields,
  way: number,
): Uint8Array<ArrayBuffer> {
  const { source, target } = fields;
  if (way === 0) return makeArpRequest(source, target);
  if (way === 1) return makeDatagram({ ...fields, version: 6 });
  if (way === 2) return makeDatagram({ ...fields, vlan: 100 });
  if (way === 3) return makeDatagram({ ...fields, protocol: ICMP });
  if (way === 4) return makeDatagram({ ...fields, target: target + 1 });
  return makeDatagram(fields).slice(0, 20);
}
