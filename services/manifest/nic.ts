/** Which NIC a system runs on, as a person names it: `xdp:veth0`. */

import { formatUdp, readUdp, UDP_FORM, type UdpChoice } from "./nic_udp.ts";
import {
  formatWire,
  readWire,
  WIRE_FORM,
  type WireChoice,
} from "./nic_wire.ts";

/** A NIC that was named. */
export type NicChoice =
  /** An in-memory wire with a peer on it. */
  | { readonly kind: "emulated" }
  /** A Linux interface, through AF_XDP. */
  | { readonly kind: "xdp"; readonly interfaceName: string }
  /** A Linux interface, through a packet socket. */
  | { readonly kind: "packet"; readonly interfaceName: string }
  /** A TAP: an interface whose other end is Sallyport; a TUN: one without Ethernet. */
  | {
    readonly kind: "tap" | "tun";
    readonly interfaceName: string;
    /** Queues of the interface, each of which a thread of the kernel fills; one if not given. */
    readonly queues?: number;
  }
  /** A capture file (pcap or pcapng) that is replayed. */
  | { readonly kind: "pcap"; readonly path: string }
  | WireChoice
  | UdpChoice;

/** The ways to name a NIC. */
export const NIC_FORMS: string =
  `emulated, ${WIRE_FORM}, xdp:IFNAME, packet:IFNAME, tap:NAME, tun:NAME, pcap:FILE or ${UDP_FORM}`;

/** The most bytes of an interface's name: Linux's IFNAMSIZ (net/if.h) less its zero. */
const INTERFACE_NAME_BYTES_MAX = 15;

/** The most queues of a TAP: the kernel's MAX_TAP_QUEUES (drivers/net/tun.c). */
const TAP_QUEUES_MAX = 256;

/** Reads the name of a NIC. Returns what is wrong with it when it is none. */
export function readNic(
  text: string,
): NicChoice | { readonly problem: string } {
  if (text === "emulated") return { kind: "emulated" };
  const colon = text.indexOf(":");
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? "" : text.slice(colon + 1);
  if (kind === "xdp" || kind === "packet") {
    const problem = interfaceNameProblem(rest);
    return problem === undefined
      ? { kind, interfaceName: rest }
      : { problem: `expected ${kind}:IFNAME; ${problem}` };
  }
  if (kind === "tap" || kind === "tun") return readTap(kind, rest);
  if (kind === "pcap") {
    if (rest === "" || rest.includes("\0")) {
      return { problem: "expected pcap:FILE with the path of a capture" };
    }
    return { kind, path: rest };
  }
  if (kind === "wire") return readWire(rest);
  if (kind === "udp") return readUdp(rest);
  return { problem: `expected ${NIC_FORMS}` };
}

function readTap(
  kind: "tap" | "tun",
  text: string,
): NicChoice | { readonly problem: string } {
  const [, interfaceName = "", written] = /^(.*?)(?:,queues=(.*))?$/s
    .exec(text)!;
  const problem = interfaceNameProblem(interfaceName) ??
    newNameProblem(interfaceName);
  if (problem !== undefined) {
    return { problem: `expected ${kind}:NAME; ${problem}` };
  }
  if (written === undefined) return { kind, interfaceName };
  const queues = /^\d{1,3}$/.test(written) ? Number(written) : 0;
  return queues >= 1 && queues <= TAP_QUEUES_MAX
    ? { kind, interfaceName, queues }
    : {
      problem:
        `expected ${kind}:NAME[,queues=N]; there are 1 to ${TAP_QUEUES_MAX} queues`,
    };
}

/** The text that {@link readNic} reads as this NIC. */
export function formatNic(nic: NicChoice): string {
  if (nic.kind === "emulated") return nic.kind;
  if (nic.kind === "pcap") return `pcap:${nic.path}`;
  if (nic.kind === "wire") return formatWire(nic);
  if (nic.kind === "udp") return formatUdp(nic);
  const queues = "queues" in nic ? `,queues=${nic.queues}` : "";
  return `${nic.kind}:${nic.interfaceName}${queues}`;
}

/** Whether packets that are larger than a page may come from it, or go to it. */
export function hasSuperPackets({ kind }: NicChoice): boolean {
  return kind === "tap" || kind === "tun";
}

/**
 * A new interface's name may be a pattern to the kernel, which would choose another
 * one; and it makes none by the names that stand for all of them in net.ipv4.conf.
 */
function newNameProblem(name: string): string | undefined {
  if (name === "all" || name === "default") {
    return `Linux makes no interface named "${name}"`;
  }
  return name.includes("%")
    ? "the name of a new interface has no percent sign"
    : undefined;
}

/** Whether a Linux kernel is at work on the same interface. */
export function isBesideKernel({ kind }: NicChoice): boolean {
  return kind === "xdp" || kind === "packet";
}

/** Linux's rules for names: `dev_valid_name()` in net/core/dev.c. */
function interfaceNameProblem(name: string): string | undefined {
  if (name === "") return "the interface's name is missing";
  if (new TextEncoder().encode(name).length > INTERFACE_NAME_BYTES_MAX) {
    return `an interface's name has at most ${INTERFACE_NAME_BYTES_MAX} bytes`;
  }
  if (name === "." || name === "..") {
    return `no interface can be named "${name}"`;
  }
  if (/[\s/:\p{C}]/u.test(name)) {
    return "an interface's name has no spaces, slashes, colons or control characters";
  }
  return undefined;
}
