/** The argument of bpf(2), and the call itself. */

import {
  BPF_ATTRIBUTE_BYTES,
  BPF_OBJ_NAME_BYTES,
  BpfCommand,
  SYSTEM_CALLS,
} from "./abi.ts";
import { enterDescriptor } from "./resource_list.ts";
import { addressOf, type Attempt, errno, libc, systemError } from "./libc.ts";

/** What returns a file descriptor. */
const OPENING = new Set<number>([
  BpfCommand.MAP_CREATE,
  BpfCommand.PROG_LOAD,
  BpfCommand.LINK_CREATE,
]);

/** `union bpf_attr`, with the buffers that it points to kept alive until the call. */
export class Attribute {
  readonly #bytes = new Uint8Array(BPF_ATTRIBUTE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #alive: Uint8Array[] = [];

  /** Writes a 32-bit field. */
  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Writes the address of `bytes`. */
  pointer(offset: number, bytes: Uint8Array): void {
    this.#alive.push(bytes);
    this.#view.setBigUint64(offset, addressOf(bytes), true);
  }

  /** Writes a name; what the kernel does not allow in one becomes `_`. */
  name(offset: number, text: string): void {
    const name = text.replace(/[^A-Za-z0-9_.]/g, "_");
    const target = this.#bytes.subarray(
      offset,
      offset + BPF_OBJ_NAME_BYTES - 1,
    );
    new TextEncoder().encodeInto(name, target);
  }

  /** Reads a 32-bit field that the kernel has written. */
  read(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Calls; what is negative is the error number, negated. */
  raw(command: number): number {
    const result = Number(
      libc().syscall3(
        BigInt(SYSTEM_CALLS[Deno.build.arch].bpf),
        BigInt(command),
        this.#bytes,
        BigInt(this.#bytes.length),
      ),
    );
    if (result < 0) return -errno();
    return OPENING.has(command) ? enterDescriptor(result) : result;
  }

  /**
   * Calls.
   * @throws {SystemError} when the kernel refuses.
   */
  call(command: number, attempt: Attempt): number {
    const result = this.raw(command);
    if (result < 0) throw systemError(-result, attempt);
    return result;
  }

  /** Calls; false when it failed with just that error. */
  callUnless(expected: number, command: number, attempt: Attempt): boolean {
    const result = this.raw(command);
    if (result < 0 && result !== -expected) {
      throw systemError(-result, attempt);
    }
    return result >= 0;
  }
}
