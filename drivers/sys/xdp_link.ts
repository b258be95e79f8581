/**
 * A BPF link: a program on an interface for exactly as long as a file descriptor
 * is open. When it is closed, by hand or because the process died, the kernel
 * takes the program off again.
 */

import { BPF_XDP, BpfAttribute, BpfCommand, Errno } from "./abi.ts";
import type { BpfProgram } from "./bpf.ts";
import { Attribute } from "./bpf_attribute.ts";
import { closeDescriptor, systemError } from "./libc.ts";
import type { SystemError } from "./system_error.ts";

/** Where a program is attached. */
export interface LinkOptions {
  /** The interface's index. */
  readonly interfaceIndex: number;
  /** XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE. */
  readonly flags: number;
  /** The interface's name, for errors. */
  readonly interfaceName?: string;
}

/** A program attached to an interface, for as long as this is open. */
export class XdpLink implements Disposable {
  #descriptor: number;

  /**
   * Attaches `program`.
   * @throws {SystemError} when the kernel or the NIC's driver refuses.
   */
  constructor(program: BpfProgram, options: LinkOptions) {
    const at = BpfAttribute.linkCreate;
    const attribute = new Attribute();
    attribute.u32(at.program, program.descriptor);
    attribute.u32(at.target, options.interfaceIndex);
    attribute.u32(at.attachType, BPF_XDP);
    attribute.u32(at.flags, options.flags);
    const where = `xdp:${options.interfaceName ?? options.interfaceIndex}`;
    const result = attribute.raw(BpfCommand.LINK_CREATE);
    if (result < 0) throw refusal(-result, where);
    this.#descriptor = result;
  }

  /** Detaches the program. */
  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}

function refusal(failed: number, where: string): SystemError {
  const taken = failed === Errno.EBUSY || failed === Errno.EEXIST;
  return systemError(failed, {
    where,
    what: "cannot attach the XDP program",
    ...(taken
      ? {
        advice:
          "another XDP program is on this interface: end its owner (`bpftool net` lists them)",
      }
      : {}),
  });
}
