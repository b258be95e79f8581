/**
 * The XDP program of an interface for as long as a driver is open: at first one
 * that passes everything to the kernel, then what is offloaded, each in place of
 * the one before at once. It goes when the link's descriptor is closed, however
 * the process ends.
 */

import type {
  KernelMapChange,
  KernelProgram,
} from "../../caps/driver/program.ts";
import {
  BpfMapType,
  Errno,
  XDP_FLAGS_DRV_MODE,
  XDP_FLAGS_SKB_MODE,
} from "../sys/abi.ts";
import { BpfMap, BpfProgram } from "../sys/bpf.ts";
import type { NetworkInterface } from "../sys/network_interface.ts";
import { SystemError } from "../sys/system_error.ts";
import { XdpLink } from "../sys/xdp_link.ts";
import { LoadedProgram, relocate } from "./program.ts";

/** Where a program runs: in the NIC's driver, or later, in the kernel's generic code. */
export type XdpMode = "native" | "generic";

/**
 * The program that is attached for good. It goes on to whatever program is in
 * the array, and where there is none, passes the packet to the kernel:
 *
 * ```
 * r2 = array; r3 = 0; bpf_tail_call(r1 context, r2, r3); return XDP_PASS
 * ```
 *
 * To exchange the program in the array takes 0.1 ms; BPF_LINK_UPDATE took 8 to
 * 16 ms on a veth, and holds the lock of all the kernel's network
 * configuration meanwhile (measured).
 */
const ROOT = {
  // deno-fmt-ignore
  instructions: new Uint8Array([
    0x18, 0x02, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
    0xb7, 0x03, 0, 0, 0, 0, 0, 0,
    0x85, 0, 0, 0, 12, 0, 0, 0,
    0xb7, 0, 0, 0, 2, 0, 0, 0,
    0x95, 0, 0, 0, 0, 0, 0, 0,
  ]),
  relocations: [{ instruction: 0, map: 0 }],
};

/**
 * How long a program that was exchanged may still run on another processor, over
 * a packet that came before: its counters are read only then for the last time.
 */
const RUN_OUT_MS = 20;

/** The program of one interface. */
export class Attachment implements Disposable {
  /** Where it runs. */
  readonly mode: XdpMode;
  readonly #sockets: BpfMap;
  readonly #programs: BpfMap;
  readonly #root: BpfProgram;
  readonly #link: XdpLink;
  #loaded: LoadedProgram | undefined;
  /** Programs that may still run, oldest first. */
  readonly #runningOut: { loaded: LoadedProgram; untilMs: number }[] = [];
  /** Counts of programs that were detached. */
  readonly #gone = new Map<string, number>();

  /**
   * Attaches a program that passes everything to the kernel.
   * @throws {SystemError} when neither way of attaching works.
   */
  constructor(face: NetworkInterface, sockets: BpfMap) {
    using owned = new DisposableStack();
    this.#sockets = sockets;
    this.#programs = owned.use(
      new BpfMap({
        type: BpfMapType.PROG_ARRAY,
        keyBytes: 4,
        valueBytes: 4,
        entriesMax: 1,
        name: "sp_programs",
      }),
    );
    const { instructions, relocations } = ROOT;
    const code = relocate(instructions, relocations, [this.#programs]);
    this.#root = owned.use(new BpfProgram(code, { name: "sp_root" }));
    const attached = attach(this.#root, face);
    this.#link = attached.link;
    this.mode = attached.mode;
    owned.move();
  }

  /**
   * Puts `specification` in place of the program before: each packet meets one
   * of the two.
   * @throws {SystemError} when the kernel refuses it; the one before stays.
   */
  exchange(specification: KernelProgram): void {
    this.#collect();
    using owned = new DisposableStack();
    const loaded = owned.use(
      new LoadedProgram(specification, { sockets: this.#sockets }),
    );
    const entry = new DataView(new ArrayBuffer(4));
    entry.setInt32(0, loaded.program.descriptor, true);
    this.#programs.update(new Uint8Array(4), new Uint8Array(entry.buffer));
    owned.move();
    if (this.#loaded !== undefined) {
      const untilMs = performance.now() + RUN_OUT_MS;
      this.#runningOut.push({ loaded: this.#loaded, untilMs });
    }
    this.#loaded = loaded;
  }

  /**
   * Changes flows of the program that runs.
   * @throws {SystemError} when the kernel refuses one.
   * @throws {RangeError} when there is no such map, or no program.
   */
  update(changes: readonly KernelMapChange[]): void {
    if (this.#loaded === undefined) {
      throw new RangeError("kernel program: there is none to change");
    }
    this.#loaded.update(changes);
  }

  /** What all programs have counted since this was opened, by reason. */
  counters(): Map<string, number> {
    this.#collect();
    const counts = new Map(this.#gone);
    for (const { loaded } of this.#runningOut) loaded.addCounters(counts);
    this.#loaded?.addCounters(counts);
    return counts;
  }

  /** Detaches: from now on the interface is as it was. */
  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
    this.#root[Symbol.dispose]();
    this.#programs[Symbol.dispose]();
    this.#loaded?.[Symbol.dispose]();
    for (const { loaded } of this.#runningOut) loaded[Symbol.dispose]();
  }

  /** Closes the programs that run no more, with their last counts kept. */
  #collect(): void {
    const now = performance.now();
    while (this.#runningOut.length > 0) {
      const { loaded, untilMs } = this.#runningOut[0]!;
      if (now < untilMs) return;
      loaded.addCounters(this.#gone);
      loaded[Symbol.dispose]();
      this.#runningOut.shift();
    }
  }
}

function attach(
  program: BpfProgram,
  face: NetworkInterface,
): { link: XdpLink; mode: XdpMode } {
  const target = { interfaceIndex: face.index, interfaceName: face.name };
  try {
    const flags = XDP_FLAGS_DRV_MODE;
    const link = new XdpLink(program, { ...target, flags });
    return { link, mode: "native" };
  } catch (error) {
    // Drivers say in many ways that they cannot; only these are not about them.
    if (!(error instanceof SystemError) || isNotTheDrivers(error.errno)) {
      throw error;
    }
  }
  const flags = XDP_FLAGS_SKB_MODE;
  const link = new XdpLink(program, { ...target, flags });
  return { link, mode: "generic" };
}

function isNotTheDrivers(errno: number): boolean {
  return errno === Errno.EPERM || errno === Errno.EBUSY ||
    errno === Errno.EEXIST;
}
