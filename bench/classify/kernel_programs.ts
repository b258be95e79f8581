/**
 * The programs that are measured in the kernel, and frames that all of them hand
 * to the socket.
 */

import type { KernelProgram } from "../../caps/driver/program.ts";
import { arpService } from "../../services/arp/service.ts";
import { Code } from "../../services/filter/ebpf/assembler.ts";
import { emitEbpf } from "../../services/filter/ebpf/emit.ts";
import {
  call,
  exit,
  HELPER,
  load,
  loadMap,
  movImm,
  R1,
  R2,
  R3,
} from "../../services/filter/ebpf/instruction.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import {
  udpEchoService,
  type UdpEchoSettings,
} from "../../services/udp-echo/service.ts";
import { flowCases, flowFrame } from "./flow_cases.ts";
import {
  addressNumber,
  ICMP,
  makeArpRequest,
  makeDatagram,
  UDP,
} from "./frame.ts";

/** What can be put in front of the socket. */
export const PROGRAM_NAMES = ["services", "flows", "redirect-all"] as const;

/** One of them. */
export type ProgramName = typeof PROGRAM_NAMES[number];

const FLOWS = flowCases(1000);

/** Whom the services answer for. */
const SETTINGS: UdpEchoSettings = {
  address: addressNumber("10.77.0.2"),
  prefixBits: 24,
  mac: new Uint8Array(6).fill(0x02),
  port: 7,
};

/** Whether `name` is a program's. */
export function isProgramName(name: string): name is ProgramName {
  return (PROGRAM_NAMES as readonly string[]).includes(name);
}

/** The program; its tags are a slot in the low half, and `version` in the high. */
export function programOf(name: ProgramName, version: number): KernelProgram {
  if (name === "redirect-all") return redirectAll();
  const tree = mergeTree(
    grantsOf(name).map((grant, i) => ({ slot: i + 1, grant, children: [] })),
  );
  const tagOf = (slot: number) => ({ low: slot, high: version });
  return emitEbpf(tree, tagOf, { unclaimed: "kernel" });
}

function grantsOf(name: "services" | "flows"): Grant[] {
  if (name === "flows") return FLOWS.map(({ grant }) => grant);
  return [arpService, icmpEchoService, udpEchoService]
    .map((service) => service.receives(SETTINGS));
}

/** `return bpf_redirect_map(sockets, context->rx_queue_index, XDP_DROP)`: looks at no packet, writes no tag. */
function redirectAll(): KernelProgram {
  const QUEUE = 16;
  const XDP_DROP = 1;
  const code = new Code();
  code.push(
    load(4, R2, R1, QUEUE),
    loadMap(R1, 0),
    movImm(R3, XDP_DROP),
    call(HELPER.REDIRECT_MAP),
    exit(),
  );
  return { ...code.assemble(), maps: [{ kind: "sockets" }] };
}

/** 256 frames, each of which the program gives to somebody: to so many in all. */
export function framesFor(
  name: "services" | "flows",
): { readonly frames: Uint8Array[]; readonly slots: number } {
  if (name === "flows") {
    // Every third: ports and 5-tuples by turns.
    const chosen = FLOWS.filter((_, i) => i % 3 === 0).slice(0, 256);
    return { frames: chosen.map(flowFrame), slots: chosen.length };
  }
  const frames = Array.from({ length: 256 }, (_, i) => serviceFrame(i));
  return { frames, slots: 3 };
}

/** Of 16 frames one is an ARP request, one a ping, and the others are UDP. */
function serviceFrame(index: number): Uint8Array {
  const { address, port = 0 } = SETTINGS;
  const source = addressNumber("10.77.0.1");
  if (index % 16 === 0) return makeArpRequest(source, address);
  const ping = index % 16 === 8;
  return makeDatagram({
    version: 4,
    source,
    target: address,
    protocol: ping ? ICMP : UDP,
    // An echo request is type 8, code 0.
    sourcePort: ping ? 0x0800 : 20000 + index,
    targetPort: port,
  });
}
