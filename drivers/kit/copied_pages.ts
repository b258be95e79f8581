/**
 * Pages by ordinary copies, for a NIC whose frames cannot be posted: a page is
 * a buffer of its own with the frames' bytes. By Frantz's rule nobody above can
 * tell it from a mapped one.
 */

import { isBufferOf } from "../../caps/memory/buffers.ts";
import {
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { PageExchange } from "../driver.ts";
import { Loans } from "./loans.ts";

/** Buffers kept for the next {@link CopiedPages.lend}, at most. */
const SPARE_MAX = 256;

const transferOf = Function.prototype.call.bind(
  ArrayBuffer.prototype.transfer,
) as (page: ArrayBuffer) => ArrayBuffer;

/** Lends copies of frames, and copies what comes back into the frames. */
export class CopiedPages implements PageExchange {
  readonly #memory: PacketMemory;
  readonly #loans: Loans;
  /** Buffers of one page. */
  readonly #spare: ArrayBuffer[] = [];

  /** All of `memory`'s frames are the driver's to lend. */
  constructor(memory: PacketMemory) {
    this.#memory = memory;
    this.#loans = new Loans(memory.frameCount);
  }

  /** A buffer with what the frames hold now. */
  lend(frame: number, pages: number): ArrayBuffer {
    this.#loans.lend(frame, pages);
    const sizeBytes = pages * PAGE_BYTES;
    const page = (pages === 1 ? this.#spare.pop() : undefined) ??
      new ArrayBuffer(sizeBytes);
    new Uint8Array(page).set(this.#bytes(frame, pages));
    return page;
  }

  /** Copies `page` into the frames when they are lent and it has their form. */
  accept(frame: number, page: unknown): number {
    const pages = this.#loans.at(frame);
    if (pages === 0 || !isBufferOf(page, pages * PAGE_BYTES)) return 0;
    let mine: ArrayBuffer;
    try {
      // Moves the bytes to a buffer that only we know: whoever kept a view of
      // `page` keeps a detached one. Some buffers refuse to be detached.
      mine = transferOf(page);
    } catch {
      return 0;
    }
    this.#bytes(frame, pages).set(new Uint8Array(mine));
    this.#loans.forget(frame);
    if (pages === 1 && this.#spare.length < SPARE_MAX) this.#spare.push(mine);
    return pages;
  }

  #bytes(frame: number, pages: number): Uint8Array {
    const from = frameOffset(frame);
    return this.#memory.bytes.subarray(from, from + pages * PAGE_BYTES);
  }
}
