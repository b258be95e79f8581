/**
 * The XDP program of an interface for as long as a driver is open: at first one
 * that passes everything to the kernel, then what is offloaded, each in place of
 * the one before at once. It goes when the link's descriptor is closed, however
 * the process ends.
 */

import type { KernelProgram } from "../../caps/program.ts";
import { Errno, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE } from "../sys/abi.ts";
import type { BpfMap } from "../sys/bpf.ts";
import type { NetworkInterface } from "../sys/network_interface.ts";
import { SystemError } from "../sys/system_error.ts";
import { XdpLink } from "../sys/xdp_link.ts";
import { LoadedProgram } from "./program.ts";

/** Where a program runs: in the NIC's driver, or later, in the kernel's generic code. */
export type XdpMode = "native" | "generic";

/** `r0 = XDP_PASS; exit` (linux/bpf.h: XDP_PASS is 2). */
const PASS_ALL: KernelProgram = {
  // deno-fmt-ignore
  instructions: new Uint8Array([
    0xb7, 0, 0, 0, 2, 0, 0, 0,
    0x95, 0, 0, 0, 0, 0, 0, 0,
  ]),
  maps: [],
  relocations: [],
};

/** The program of one interface. */
export class Attachment implements Disposable {
  /** Where it runs. */
  readonly mode: XdpMode;
  readonly #link: XdpLink;
  readonly #sockets: BpfMap;
  #loaded: LoadedProgram;
  /** What programs that are gone had counted. */
  readonly #retired = new Map<string, number>();

  /**
   * Attaches a program that passes everything to the kernel.
   * @throws {SystemError} when neither way of attaching works.
   */
  constructor(face: NetworkInterface, sockets: BpfMap) {
    using owned = new DisposableStack();
    this.#sockets = sockets;
    this.#loaded = owned.use(new LoadedProgram(PASS_ALL, { sockets }));
    const attached = attach(this.#loaded, face);
    this.#link = attached.link;
    this.mode = attached.mode;
    owned.move();
  }

  /**
   * Puts `specification` in place of the program before.
   * @throws {SystemError} when the kernel refuses it; the one before stays.
   */
  exchange(specification: KernelProgram): void {
    const loaded = new LoadedProgram(specification, {
      sockets: this.#sockets,
    });
    try {
      this.#link.update(loaded.program);
    } catch (error) {
      loaded[Symbol.dispose]();
      throw error;
    }
    this.#loaded.addCounters(this.#retired);
    this.#loaded[Symbol.dispose]();
    this.#loaded = loaded;
  }

  /** What all programs have counted since this was opened, by reason. */
  counters(): Map<string, number> {
    const counts = new Map(this.#retired);
    this.#loaded.addCounters(counts);
    return counts;
  }

  /** Detaches: from now on the interface is as it was. */
  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
    this.#loaded[Symbol.dispose]();
  }
}

function attach(
  loaded: LoadedProgram,
  face: NetworkInterface,
): { link: XdpLink; mode: XdpMode } {
  const target = { interfaceIndex: face.index, interfaceName: face.name };
  try {
    const flags = XDP_FLAGS_DRV_MODE;
    const link = new XdpLink(loaded.program, { ...target, flags });
    return { link, mode: "native" };
  } catch (error) {
    // Drivers say in many ways that they cannot; only these are not about them.
    if (!(error instanceof SystemError) || isNotTheDrivers(error.errno)) {
      throw error;
    }
  }
  const flags = XDP_FLAGS_SKB_MODE;
  const link = new XdpLink(loaded.program, { ...target, flags });
  return { link, mode: "generic" };
}

function isNotTheDrivers(errno: number): boolean {
  return errno === Errno.EPERM || errno === Errno.EBUSY ||
    errno === Errno.EEXIST;
}
