/**
 * Pages by ordinary copies, for a NIC whose frames cannot be posted: a page is
 * a buffer of its own with the frame's bytes. By Frantz's rule nobody above can
 * tell it from a mapped one.
 */

import { isBufferOf } from "../caps/buffers.ts";
import { frameOffset, type PacketMemory, PAGE_BYTES } from "../caps/memory.ts";
import type { PageExchange } from "./driver.ts";

/** Buffers kept for the next {@link CopiedPages.lend}, at most. */
const SPARE_MAX = 256;

const transferOf = Function.prototype.call.bind(
  ArrayBuffer.prototype.transfer,
) as (page: ArrayBuffer) => ArrayBuffer;

/** Lends copies of frames, and copies what comes back into the frame. */
export class CopiedPages implements PageExchange {
  readonly mapped = false;
  readonly #memory: PacketMemory;
  /** 1 for a frame whose page is out. */
  readonly #lent: Uint8Array;
  /** A view of each frame, made when it is first lent. */
  readonly #views: (Uint8Array | undefined)[];
  readonly #spare: ArrayBuffer[] = [];

  /** All of `memory`'s frames are the driver's to lend. */
  constructor(memory: PacketMemory) {
    this.#memory = memory;
    this.#lent = new Uint8Array(memory.frameCount);
    this.#views = new Array(memory.frameCount).fill(undefined);
  }

  /**
   * A buffer of `PAGE_BYTES` with what `frame` holds now.
   * @throws {RangeError} when there is no such frame, or its page is out.
   */
  lend(frame: number): ArrayBuffer {
    if (this.#lent[frame] !== 0) {
      throw new RangeError(
        `pages: frame ${frame} ${
          this.#lent[frame] === 1 ? "is lent already" : "does not exist"
        }`,
      );
    }
    const page = this.#spare.pop() ?? new ArrayBuffer(PAGE_BYTES);
    new Uint8Array(page).set(this.#view(frame));
    this.#lent[frame] = 1;
    return page;
  }

  /** Copies `page` into `frame` when that is lent and `page` has a page's form. */
  accept(frame: number, page: unknown): boolean {
    if (this.#lent[frame] !== 1 || !isBufferOf(page, PAGE_BYTES)) return false;
    let mine: ArrayBuffer;
    try {
      // Moves the bytes to a buffer that only we know: whoever kept a view of
      // `page` keeps a detached one. Some buffers refuse to be detached.
      mine = transferOf(page);
    } catch {
      return false;
    }
    this.#view(frame).set(new Uint8Array(mine));
    this.#lent[frame] = 0;
    if (this.#spare.length < SPARE_MAX) this.#spare.push(mine);
    return true;
  }

  #view(frame: number): Uint8Array {
    return this.#views[frame] ??= new Uint8Array(
      this.#memory.bytes.buffer,
      frameOffset(frame),
      PAGE_BYTES,
    );
  }
}
