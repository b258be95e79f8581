/**
 * Pages that *are* frames of packet memory: frames that lie side by side become
 * one `ArrayBuffer`, which is posted in a transfer list and comes back the same
 * way. Nothing is copied, and only one side ever holds it.
 *
 * A holder can send back anything. The frame's own page is told from every
 * other buffer by an unpredictable nonce: written through packet memory, it
 * shows through that page and no other (20 ns; comparing addresses costs 330).
 */

import {
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { PageExchange } from "../driver.ts";
import { Loans } from "../kit/loans.ts";
import { addressOf } from "./libc.ts";

// Taken once, before any other code runs: what a page says of itself, and what
// somebody may have put on ArrayBuffer.prototype since, is never asked.
const { getPrototypeOf } = Object;
const { load, store } = Atomics;
const Words = Uint32Array;
const pagePrototype = ArrayBuffer.prototype;
// deno-lint-ignore ban-types -- what Function.prototype.call itself is
const callOf = Function.prototype.call as Function;
const byteLengthOf = getterOf("byteLength");
const resizableOf = getterOf("resizable");
const detachedOf = getterOf("detached");
// Newer engines have buffers that cannot be written to; such a page is none.
const immutableOf = "immutable" in pagePrototype
  ? getterOf("immutable")
  : undefined;
const moveOf = callOf.bind(pagePrototype.transfer) as (
  page: ArrayBuffer,
) => ArrayBuffer;

const NONCE_WORDS = 1024;

/** The pages of one packet memory whose frames are posted themselves. */
export class MappedPages implements PageExchange {
  readonly #address: bigint;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #loans: Loans;
  /** By the first frame: the buffer that it was lent as last. */
  readonly #pages: (ArrayBuffer | undefined)[];
  readonly #nonces = new Uint32Array(NONCE_WORDS);
  #nonceAt = NONCE_WORDS;

  /** Pages made of the frames of `memory`, which must outlive them all. */
  constructor(memory: PacketMemory) {
    this.#address = addressOf(memory.bytes);
    this.#words = new Uint32Array(memory.bytes.buffer);
    this.#loans = new Loans(memory.frameCount);
    this.#pages = new Array<ArrayBuffer | undefined>(memory.frameCount);
    this.#pages.fill(undefined);
  }

  /** The frames' own memory. */
  lend(frame: number, pages: number): ArrayBuffer {
    this.#loans.lend(frame, pages);
    const last = this.#pages[frame];
    // Making a buffer takes 0.5 µs: the last one is good for the same loan again.
    if (last?.byteLength === pages * PAGE_BYTES) return last;
    return this.#pages[frame] = this.#make(frame, pages);
  }

  /**
   * Takes back the buffer that was lent from `frame` on. Who still has a
   * reference to `page` is left with a detached one.
   */
  accept(frame: number, page: unknown): number {
    const pages = this.#loans.at(frame);
    if (pages === 0) return 0;
    try {
      if (!isWholeBuffer(page, pages) || !this.#shows(frame, page)) return 0;
      this.#pages[frame] = moveOf(page);
    } catch {
      return 0;
    }
    this.#loans.forget(frame);
    return pages;
  }

  #make(frame: number, pages: number): ArrayBuffer {
    const address = this.#address + BigInt(frameOffset(frame));
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new Error("packet memory has no address");
    return Deno.UnsafePointerView.getArrayBuffer(pointer, pages * PAGE_BYTES);
  }

  /** Whether what is written to `frame` can be read through `page`. */
  #shows(frame: number, page: ArrayBuffer): boolean {
    const low = this.#nonce();
    const high = this.#nonce();
    const words = this.#words;
    const at = frameOffset(frame) >>> 2;
    const lowBefore = load(words, at);
    const highBefore = load(words, at + 1);
    store(words, at, low);
    store(words, at + 1, high);
    const seen = new Words(page, 0, 2);
    const shown = load(seen, 0) === low && load(seen, 1) === high;
    store(words, at, lowBefore);
    store(words, at + 1, highBefore);
    return shown;
  }

  #nonce(): number {
    if (this.#nonceAt === NONCE_WORDS) {
      crypto.getRandomValues(this.#nonces);
      this.#nonceAt = 0;
    }
    return this.#nonces[this.#nonceAt++]!;
  }
}

/** Exactly an `ArrayBuffer`, of exactly so many pages, fixed in size. */
function isWholeBuffer(page: unknown, pages: number): page is ArrayBuffer {
  if (typeof page !== "object" || page === null) return false;
  // The first getter throws on everything that is not an ArrayBuffer, proxies
  // included, before any code of theirs could run.
  return byteLengthOf(page) === pages * PAGE_BYTES &&
    resizableOf(page) === false &&
    detachedOf(page) === false && getPrototypeOf(page) === pagePrototype &&
    (immutableOf === undefined || immutableOf(page) === false);
}

/** An intrinsic getter of ArrayBuffer as a function of the buffer. */
function getterOf(name: string): (page: object) => unknown {
  const getter = Object.getOwnPropertyDescriptor(pagePrototype, name)?.get;
  if (getter === undefined) {
    throw new Error(`ArrayBuffer.prototype.${name} is missing here`);
  }
  return callOf.bind(getter) as (page: object) => unknown;
}
