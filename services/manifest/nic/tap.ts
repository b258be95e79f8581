/** Interfaces whose other end is Sallyport: `tap:sp0`, `tap:sp0,queues=4`, `tun:sp0`. */

import { interfaceNameProblem, newNameProblem } from "./interface_name.ts";
import type { NicKind, NicProblem } from "./kind.ts";

/** A TAP, or a TUN: one without Ethernet. */
export interface TapChoice<Kind extends "tap" | "tun" = "tap" | "tun"> {
  /** Which kind of NIC it is. */
  readonly kind: Kind;
  /** The name that the interface gets in Linux. */
  readonly interfaceName: string;
  /** Queues of the interface, each of which a thread of the kernel fills; one by default. */
  readonly queues?: number;
}

/** The most queues of a TAP: the kernel's MAX_TAP_QUEUES (drivers/net/tun.c). */
const TAP_QUEUES_MAX = 256;

/** What the driver is opened with. */
interface TapOptions {
  readonly kind: "tap" | "tun";
  readonly interfaceName: string;
  readonly queues?: number;
  readonly mac: Uint8Array;
}

/** A TAP. */
export const tap: NicKind<TapChoice<"tap">, TapOptions> = kindOf("tap", [
  "a TAP of that name, made for this and removed after: the kernel",
  "is its other end, and gets its address from you: ip address add",
  "10.77.0.1/24 dev NAME. Needs root, or CAP_NET_ADMIN. It has",
  "several queues where that is asked: tap:sp0,queues=4",
  "sallyport up --nic tap:sp0 --address 10.77.0.2/24",
]);

/** A TUN. */
export const tun: NicKind<TapChoice<"tun">, TapOptions> = kindOf("tun", [
  "the same without Ethernet: IP packets alone, and no ARP",
  "sallyport up --nic tun:sp0 --address 10.77.0.2/24",
]);

function kindOf<Kind extends "tap" | "tun">(
  kind: Kind,
  help: readonly string[],
): NicKind<TapChoice<Kind>, TapOptions> {
  return {
    kind,
    form: `${kind}:NAME`,
    help,
    read: (text) => readTap(kind, text),
    format: ({ interfaceName, queues }) =>
      queues === undefined
        ? interfaceName
        : `${interfaceName},queues=${queues}`,
    permissions: () => ({ ffi: true }),
    options: (choice, { mac }) => ({ ...choice, mac }),
    superPackets: true,
    mapped: true,
  };
}

function readTap<Kind extends "tap" | "tun">(
  kind: Kind,
  text: string,
): TapChoice<Kind> | NicProblem {
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
