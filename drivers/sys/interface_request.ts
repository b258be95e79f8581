/** Questions to the kernel about an interface, through ioctl(2). */

import {
  AF_INET,
  Errno,
  ETHTOOL_CHANNELS_BYTES,
  ETHTOOL_CHANNELS_COMBINED,
  ETHTOOL_CHANNELS_RX,
  ETHTOOL_DRVINFO_BYTES,
  ETHTOOL_DRVINFO_DRIVER,
  ETHTOOL_GCHANNELS,
  ETHTOOL_GDRVINFO,
  IFNAMSIZ,
  IFREQ_BYTES,
  SIOCETHTOOL,
  SIOCGIFNAME,
  SIOCGIFNETMASK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from "./abi.ts";
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
import { enterDescriptor } from "./resource_list.ts";

/** `struct ifreq` (linux/if.h: a name of 16 bytes, then a union) and a socket to send it through. */
export class InterfaceRequest implements Disposable {
  readonly view = new DataView(new ArrayBuffer(IFREQ_BYTES));
  readonly #socket: number;

  constructor(name: string) {
    this.#socket = check(
      enterDescriptor(libc().socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      { where: "socket(AF_INET)", what: "cannot ask about interfaces" },
    );
    new TextEncoder().encodeInto(name, new Uint8Array(this.view.buffer));
  }

  /** The name of the interface that is asked about. */
  get name(): string {
    const text = new Uint8Array(this.view.buffer, 0, IFNAMSIZ);
    return new TextDecoder().decode(text).replace(/\0.*$/s, "");
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

  /** Asks what `bytes` say (linux/ethtool.h: a command first), which the answer is written to; returns 0, or the error number. */
  ethtool(bytes: Uint8Array): number {
    this.view.setBigUint64(IFNAMSIZ, addressOf(bytes), true);
    return this.tries(SIOCETHTOOL);
  }

  /** Goes on with the interface of that index; false where this namespace has none. */
  choose(index: number): boolean {
    this.view.setInt32(IFNAMSIZ, index, true);
    return this.tries(SIOCGIFNAME) === 0;
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
    const failed = this.ethtool(bytes);
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
    const failed = this.ethtool(bytes);
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
