/** What the kernel says of a network interface, asked through ioctl(2): no file is read. */

import {
  AF_PACKET,
  ARPHRD_ETHER,
  ARPHRD_NONE,
  IFF_UP,
  IFNAMSIZ,
  PACKET_ADD_MEMBERSHIP,
  PACKET_MR_PROMISC,
  PACKET_MREQ_BYTES,
  SIOCGIFFLAGS,
  SIOCGIFHWADDR,
  SIOCGIFINDEX,
  SIOCGIFMTU,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
} from "./abi.ts";
import { InterfaceRequest } from "./interface_request.ts";
import { enterDescriptor } from "./resource_list.ts";
import { check, closeDescriptor, errno, libc, systemError } from "./libc.ts";

/** Bytes of an Ethernet header. */
const ETHERNET_HEADER_BYTES = 14;

/** Drivers of interfaces whose far end is a kernel on this machine. */
const LOCAL_DRIVERS: ReadonlySet<string> = new Set(["veth", "tun"]);

/** What is known of an Ethernet interface. */
export interface NetworkInterface {
  /** As the kernel names it. */
  readonly name: string;
  /** The kernel's number for it. */
  readonly index: number;
  /** Hardware address: six bytes. */
  readonly mac: Uint8Array<ArrayBuffer>;
  /** The largest packet behind the Ethernet header, in bytes. */
  readonly mtu: number;
  /** The largest frame, Ethernet header included, in bytes. */
  readonly frameBytesMax: number;
  /** Flags: IFF_UP and the like (linux/if.h). */
  readonly flags: number;
  /** The kernel's name of its driver; empty where it cannot say. */
  readonly driver: string;
  /** Whether its far end is a kernel on this machine, or this kernel itself: a veth's or a TAP's. */
  readonly local: boolean;
  /** The mask of its first IPv4 network, in host byte order; undefined where it has none. */
  readonly netmask: number | undefined;
  /** How many queues it receives on; undefined where its driver cannot say. */
  readonly receiveQueues: number | undefined;
}

/**
 * Asks the kernel about the interface `name` of this network namespace.
 *
 * @throws {SystemError} when there is none of that name.
 * @throws {Error} when it is down, or neither Ethernet nor, `withoutLink`, an
 * interface without a link layer.
 */
export function openNetworkInterface(
  name: string,
  withoutLink = false,
): NetworkInterface {
  const where = `interface ${name}`;
  if (name.length === 0 || new TextEncoder().encode(name).length >= IFNAMSIZ) {
    throw new RangeError(
      `${where}: the name of an interface has 1 to ${IFNAMSIZ - 1} bytes`,
    );
  }
  using request = new InterfaceRequest(name);
  const index = request.ask(SIOCGIFINDEX, {
    where,
    what: "cannot find it",
    advice: "`ip link` lists the interfaces of this network namespace",
  }).getInt32(IFNAMSIZ, true);
  const flags = request.ask(SIOCGIFFLAGS, {
    where,
    what: "cannot read its flags",
  }).getUint16(IFNAMSIZ, true);
  if ((flags & IFF_UP) === 0) {
    throw new Error(`${where}: is down; \`ip link set ${name} up\` first`);
  }
  const hardware = request.ask(SIOCGIFHWADDR, {
    where,
    what: "cannot read its address",
  });
  const wanted = withoutLink ? ARPHRD_NONE : ARPHRD_ETHER;
  if (hardware.getUint16(IFNAMSIZ, true) !== wanted) {
    throw new Error(
      withoutLink
        ? `${where}: has a link layer`
        : `${where}: is not an Ethernet interface`,
    );
  }
  const mac = macIn(hardware);
  const mtu = request.ask(SIOCGIFMTU, { where, what: "cannot read its MTU" })
    .getInt32(IFNAMSIZ, true);
  const driver = request.driverName(where);
  return {
    name,
    index,
    mac,
    mtu,
    frameBytesMax: mtu + ETHERNET_HEADER_BYTES,
    flags,
    driver,
    local: LOCAL_DRIVERS.has(driver),
    netmask: request.netmask(),
    receiveQueues: request.receiveQueues(where),
  };
}

/** Whether this namespace has an interface of that name. */
export function hasInterface(name: string): boolean {
  using request = new InterfaceRequest(name);
  return request.tries(SIOCGIFINDEX) === 0;
}

/**
 * Brings an interface up.
 * @throws {SystemError} when the kernel refuses.
 */
export function bringUp(name: string): void {
  const where = `interface ${name}`;
  const what = "cannot bring it up";
  using request = new InterfaceRequest(name);
  const flags = request.ask(SIOCGIFFLAGS, { where, what })
    .getUint16(IFNAMSIZ, true);
  request.view.setUint16(IFNAMSIZ, flags | IFF_UP, true);
  request.ask(SIOCSIFFLAGS, { where, what });
}

/** Whether this namespace has an interface of that name that is up. */
export function interfaceIsUp(name: string): boolean {
  using request = new InterfaceRequest(name);
  return request.tries(SIOCGIFFLAGS) === 0 &&
    (request.view.getUint16(IFNAMSIZ, true) & IFF_UP) !== 0;
}

/** What of an interface changes while it is open. */
export interface InterfaceState {
  /** As the kernel names it now. */
  readonly name: string;
  /** IFF_UP and the like (linux/if.h). */
  readonly flags: number;
  /** The hardware address: six bytes. */
  readonly mac: Uint8Array<ArrayBuffer>;
  /** The largest packet behind the Ethernet header, in bytes. */
  readonly mtu: number;
  /** The largest frame, Ethernet header included and VLAN tags not, in bytes. */
  readonly frameBytesMax: number;
  /** How many queues it receives on; undefined where its driver cannot say. */
  readonly receiveQueues: number | undefined;
}

/** The interface of that index as it is now; undefined where this namespace has it no more. */
export function stateOfInterface(index: number): InterfaceState | undefined {
  using request = new InterfaceRequest("");
  if (!request.choose(index)) return undefined;
  const name = request.name;
  const { view } = request;
  if (request.tries(SIOCGIFFLAGS) !== 0) return undefined;
  const flags = view.getUint16(IFNAMSIZ, true);
  if (request.tries(SIOCGIFHWADDR) !== 0) return undefined;
  const mac = macIn(view);
  if (request.tries(SIOCGIFMTU) !== 0) return undefined;
  const mtu = view.getInt32(IFNAMSIZ, true);
  return {
    name,
    flags,
    mac,
    mtu,
    frameBytesMax: mtu + ETHERNET_HEADER_BYTES,
    receiveQueues: request.receiveQueues(`interface ${name}`),
  };
}

/** The hardware address in an answer to SIOCGIFHWADDR, behind its family. */
function macIn(view: DataView<ArrayBufferLike>): Uint8Array<ArrayBuffer> {
  const at = IFNAMSIZ + 2;
  return new Uint8Array(view.buffer.slice(at, at + 6) as ArrayBuffer);
}

/**
 * Makes an interface receive frames for every address, for as long as the
 * descriptor that is returned is open. The kernel counts such wishes: the
 * interface's own setting is left alone.
 *
 * @throws {SystemError} when the privilege is missing.
 */
export function openPromiscuous(face: NetworkInterface): number {
  const where = `interface ${face.name}`;
  // Protocol 0: the socket itself receives nothing.
  const socket = check(
    enterDescriptor(libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)),
    { where, what: "cannot open a packet socket" },
  );
  const wish = new DataView(new ArrayBuffer(PACKET_MREQ_BYTES));
  wish.setInt32(0, face.index, true);
  wish.setUint16(4, PACKET_MR_PROMISC, true);
  const result = libc().setsockopt(
    socket,
    SOL_PACKET,
    PACKET_ADD_MEMBERSHIP,
    wish.buffer,
    PACKET_MREQ_BYTES,
  );
  if (result < 0) {
    const failed = errno();
    closeDescriptor(socket);
    throw systemError(failed, {
      where,
      what: "cannot receive for other addresses",
    });
  }
  return socket;
}
