/** Memory that the kernel shares with this process through mmap(2), as an ArrayBuffer. */

import { MAP_POPULATE, MAP_SHARED, PROT_READ_WRITE } from "./abi.ts";
import { enterMapping, leaveMapping } from "./resource_list.ts";
import { type Attempt, errno, libc, systemError } from "./libc.ts";

/** What mmap(2) returns when it fails: (void *) -1. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * A mapping of a file descriptor. Views of `buffer` must not be used once it is
 * closed: the memory is unmapped then.
 */
export class MappedMemory implements Disposable {
  /** The memory. */
  readonly buffer: ArrayBuffer;
  readonly #pointer: Deno.PointerObject;
  readonly #sizeBytes: bigint;
  #open = true;

  /**
   * Maps `sizeBytes` of `descriptor` from `offset` on.
   * @throws {SystemError} when the kernel refuses.
   */
  constructor(
    descriptor: number,
    offset: bigint,
    options: { readonly sizeBytes: number; readonly attempt: Attempt },
  ) {
    this.#sizeBytes = BigInt(options.sizeBytes);
    const pointer = libc().mmap(
      null,
      this.#sizeBytes,
      PROT_READ_WRITE,
      MAP_SHARED | MAP_POPULATE,
      descriptor,
      offset,
    );
    const failed = errno();
    if (
      pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED
    ) {
      throw systemError(failed, options.attempt);
    }
    enterMapping(Deno.UnsafePointer.value(pointer), this.#sizeBytes);
    this.#pointer = pointer;
    this.buffer = Deno.UnsafePointerView.getArrayBuffer(
      pointer,
      options.sizeBytes,
    );
  }

  /** Unmaps it. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    leaveMapping(Deno.UnsafePointer.value(this.#pointer));
    libc().munmap(this.#pointer, this.#sizeBytes);
  }
}
