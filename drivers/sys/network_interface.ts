/** What the kernel says of a network interface, asked through ioctl(2): no file is read. */

import {
  AF_INET,
  AF_PACKET,
  ARPHRD_ETHER,
  ARPHRD_NONE,
  Errno,
  ETHTOOL_CHANNELS_BYTES,
  ETHTOOL_CHANNELS_COMBINED,
  ETHTOOL_CHANNELS_RX,
  ETHTOOL_DRVINFO_BYTES,
  ETHTOOL_DRVINFO_DRIVER,
  ETHTOOL_GCHANNELS,
  ETHTOOL_GDRVINFO,
  IFF_UP,
  IFNAMSIZ,
  IFREQ_BYTES,
  PACKET_ADD_MEMBERSHIP,
  PACKET_MR_PROMISC,
  PACKET_MREQ_BYTES,
  SIOCETHTOOL,
  SIOCGIFFLAGS,
  SIOCGIFHWADDR,
  SIOCGIFINDEX,
  SIOCGIFMTU,
  SIOCGIFNAME,
  SIOCGIFNETMASK,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_PACKET,
} from "./abi.ts";
import { enterDescriptor } from "./resource_list.ts";
import {
  addressOf,
  type Attempt,
  check,
  closeDescriptor,
  errno,
  isUnsupported,
  libc,
  systemError,
} from "./libc.ts";

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
  const macAt = IFNAMSIZ + 2;
  const mac = new Uint8Array(hardware.buffer.slice(macAt, macAt + 6));
  const mtu = request.ask(SIOCGIFMTU, { where, what: "cannot read its MTU" })
    .getInt32(IFNAMSIZ, true);
  return {
    name,
    index,
    mac,
    mtu,
    frameBytesMax: mtu + ETHERNET_HEADER_BYTES,
    flags,
    netmask: request.netmask(),
    local: LOCAL_DRIVERS.has(request.driverName(where)),
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

/** The flags of the interface of that index; undefined where this namespace has it no more. */
export function flagsOfInterface(index: number): number | undefined {
  using request = new InterfaceRequest("");
  request.view.setInt32(IFNAMSIZ, index, true);
  if (request.tries(SIOCGIFNAME) !== 0) return undefined;
  if (request.tries(SIOCGIFFLAGS) !== 0) return undefined;
  return request.view.getUint16(IFNAMSIZ, true);
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

/** `struct ifreq` (linux/if.h: a name of 16 bytes, then a union) and a socket to send it through. */
class InterfaceRequest implements Disposable {
  readonly view = new DataView(new ArrayBuffer(IFREQ_BYTES));
  readonly #socket: number;

  constructor(name: string) {
    this.#socket = check(
      enterDescriptor(libc().socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      { where: "socket(AF_INET)", what: "cannot ask about interfaces" },
    );
    new TextEncoder().encodeInto(name, new Uint8Array(this.view.buffer));
  }

  /** Asks; returns 0, or the error number. */
  tries(question: number): number {
    const result = libc().ioctl(
      this.#socket,
      BigInt(question),
      this.view.buffer as ArrayBuffer,
    );
    return result < 0 ? errno() : 0;
  }

  ask(question: number, attempt: Attempt): DataView<ArrayBuffer> {
    const failed = this.tries(question);
    if (failed !== 0) throw systemError(failed, attempt);
    return this.view as DataView<ArrayBuffer>;
  }

  /** The mask of the interface's IPv4 network: behind family and port of a `struct sockaddr_in`. */
  netmask(): number | undefined {
    return this.tries(SIOCGIFNETMASK) === 0
      ? this.view.getUint32(IFNAMSIZ + 4)
      : undefined;
  }

  /** Receive queues by ETHTOOL_GCHANNELS: those of their own and the combined ones. */
  receiveQueues(where: string): number | undefined {
    const bytes = new Uint8Array(ETHTOOL_CHANNELS_BYTES);
    const channels = new DataView(bytes.buffer);
    channels.setUint32(0, ETHTOOL_GCHANNELS, true);
    this.view.setBigUint64(IFNAMSIZ, addressOf(bytes), true);
    const failed = this.tries(SIOCETHTOOL);
    if (isUnsupported(failed) || failed === Errno.EINVAL) return undefined;
    if (failed !== 0) {
      throw systemError(failed, { where, what: "cannot count its queues" });
    }
    const queues = channels.getUint32(ETHTOOL_CHANNELS_RX, true) +
      channels.getUint32(ETHTOOL_CHANNELS_COMBINED, true);
    return queues > 0 ? queues : undefined;
  }

  /** The name of its driver; empty where it cannot say. */
  driverName(where: string): string {
    const bytes = new Uint8Array(ETHTOOL_DRVINFO_BYTES);
    new DataView(bytes.buffer).setUint32(0, ETHTOOL_GDRVINFO, true);
    this.view.setBigUint64(IFNAMSIZ, addressOf(bytes), true);
    const failed = this.tries(SIOCETHTOOL);
    if (isUnsupported(failed)) return "";
    if (failed !== 0) {
      throw systemError(failed, { where, what: "cannot name its driver" });
    }
    const text = bytes.subarray(
      ETHTOOL_DRVINFO_DRIVER,
      ETHTOOL_DRVINFO_DRIVER + 32,
    );
    return new TextDecoder().decode(text).replace(/\0.*$/s, "");
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#socket);
  }
}
