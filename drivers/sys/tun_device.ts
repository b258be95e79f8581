/**
 * TAP and TUN interfaces: a network interface whose other end is a file
 * descriptor. Source: Documentation/networking/tuntap.rst, linux/if_tun.h.
 */

import { adviceToOpen } from "./tun_advice.ts";
import {
  Errno,
  IFF_MULTI_QUEUE,
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN,
  IFF_VNET_HDR,
  IFNAMSIZ,
  IFREQ_BYTES,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUN_F_CSUM,
  TUN_F_TSO,
  TUN_F_USO,
  TUNGETVNETHDRSZ,
  TUNSETIFF,
  TUNSETOFFLOAD,
} from "./abi.ts";
import { enterDescriptor } from "./resource_list.ts";
import { check, closeDescriptor, errno, libc, systemError } from "./libc.ts";
import { bringUp, hasInterface } from "./network_interface.ts";

/** Ethernet frames, or IP packets without a link layer. */
export type TunKind = "tap" | "tun";

/** The most queues of one interface: the kernel's MAX_TAP_QUEUES. */
export const TUN_QUEUES_MAX = 256;

const DEVICE = "/dev/net/tun";

/** Bytes of `struct virtio_net_hdr`, and the most that a virtio header may have here. */
const HEADER_BYTES_MIN = 10;
const HEADER_BYTES_MAX = 64;

/** Which interface, and how. */
export interface TunOptions {
  readonly kind: TunKind;
  readonly interfaceName: string;
  /** Descriptors, each a queue of its own. */
  readonly queues: number;
  /** Whether super-packets can be received; checksums that are not complete always can. */
  readonly superPackets: boolean;
}

/** The end of a TAP or TUN that is a program's. */
export class TunDevice implements Disposable {
  /** One for each queue; reading and writing never blocks. */
  readonly descriptors: readonly number[];
  /** Bytes of the virtio header in front of each packet. */
  readonly headerBytes: number;
  /** Whether it is this program's own, removed when it is closed. */
  readonly created: boolean;
  /** Whether UDP super-packets go both ways. */
  readonly udpSegments: boolean;
  readonly #owned: DisposableStack;

  /**
   * Opens the interface; it is made, and brought up, where there is none of that
   * name. One that was there stays as it is.
   *
   * @throws {SystemError} when the kernel refuses: the privilege or the device is
   * missing, another program has the interface, it is of another kind.
   */
  constructor(options: TunOptions) {
    const { kind, interfaceName, queues } = options;
    using owned = new DisposableStack();
    this.created = !hasInterface(interfaceName);
    this.descriptors = Array.from({ length: queues }, () => {
      const descriptor = openDevice(options);
      owned.adopt(descriptor, closeDescriptor);
      attach(descriptor, options);
      return descriptor;
    });
    const first = this.descriptors[0]!;
    const where = `${kind}:${interfaceName}`;
    this.headerBytes = headerBytesOf(first, where);
    const received = TUN_F_CSUM | (options.superPackets ? TUN_F_TSO : 0);
    this.udpSegments = options.superPackets &&
      trySetOffload(first, received | TUN_F_USO);
    if (!this.udpSegments && !trySetOffload(first, received)) {
      throw systemError(errno(), {
        where,
        what: "cannot turn its offloads on",
      });
    }
    if (!this.created) {
      // What the kernel may leave to us ends with us.
      owned.defer(() => void trySetOffload(first, 0));
    } else bringUp(interfaceName);
    this.#owned = owned.move();
  }

  /** Closes it, and removes an interface that was made for it. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function openDevice({ kind, interfaceName }: TunOptions): number {
  const path = new TextEncoder().encode(`${DEVICE}\0`);
  const descriptor = enterDescriptor(
    libc().open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC),
  );
  const failed = descriptor < 0 ? errno() : 0;
  return check(descriptor, {
    where: `${kind}:${interfaceName}`,
    what: `cannot open ${DEVICE}`,
    advice: adviceToOpen(failed),
  });
}

const NEEDED = { advice: "run as root, or with CAP_NET_ADMIN" };

function attach(descriptor: number, options: TunOptions): void {
  const { kind, interfaceName, queues } = options;
  const request = new DataView(new ArrayBuffer(IFREQ_BYTES));
  const name = new Uint8Array(request.buffer, 0, IFNAMSIZ - 1);
  new TextEncoder().encodeInto(interfaceName, name);
  const flags = (kind === "tap" ? IFF_TAP : IFF_TUN) | IFF_NO_PI |
    IFF_VNET_HDR | (queues > 1 ? IFF_MULTI_QUEUE : 0);
  request.setUint16(IFNAMSIZ, flags, true);
  if (libc().ioctl(descriptor, BigInt(TUNSETIFF), request.buffer) === 0) return;
  const failed = errno();
  throw systemError(failed, {
    where: `${kind}:${interfaceName}`,
    what: "cannot attach to the interface",
    ...adviceFor(failed, kind, queues),
  });
}

function adviceFor(
  failed: number,
  kind: TunKind,
  queues: number,
): { readonly advice?: string } {
  if (failed === Errno.EPERM || failed === Errno.EACCES) return NEEDED;
  if (failed === Errno.EBUSY || failed === Errno.E2BIG) {
    return { advice: "another program has it open; use another name" };
  }
  if (failed !== Errno.EINVAL && failed !== Errno.EEXIST) return {};
  const one = queues === 1 ? "one queue" : "multi_queue";
  return {
    advice:
      `an interface of that name is no ${kind} with ${one}; use another name`,
  };
}

function headerBytesOf(descriptor: number, where: string): number {
  const size = new Int32Array(1);
  check(libc().ioctl(descriptor, BigInt(TUNGETVNETHDRSZ), size.buffer), {
    where,
    what: "cannot read the size of its headers",
  });
  const headerBytes = size[0]!;
  if (headerBytes < HEADER_BYTES_MIN || headerBytes > HEADER_BYTES_MAX) {
    throw new Error(
      `${where}: has virtio headers of ${headerBytes} bytes; ${HEADER_BYTES_MIN} to ${HEADER_BYTES_MAX} are known`,
    );
  }
  return headerBytes;
}

function trySetOffload(descriptor: number, flags: number): boolean {
  return libc().ioctlValue(descriptor, BigInt(TUNSETOFFLOAD), BigInt(flags)) ===
    0;
}
