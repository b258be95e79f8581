/**
 * Delivery by descriptors, to a holder that the system trusts with packet memory
 * itself: two rings in shared memory, each with one side that writes and one
 * that reads. A packet stays where it is, and only its descriptor crosses.
 *
 * ```
 *  0               64               128
 *  ├ produced, u32 ┼ waiting, u32 ──┼ SHARED_ENTRIES × ┬ offset ┬ length ┬ slot ┬ meta ┤
 *                                                        u32      u32      u32    u32
 * ```
 *
 * The driver writes *deliveries*: `offset` in packet memory, and the slot of the
 * capability. The holder writes *returns*: each gives back the frame at `offset`,
 * and with a `length` it has that sent first, under the capability of `slot`.
 * Whatever else a holder sends goes by messages, as everybody's.
 *
 * Neither side tells how far it has read: the driver hands over no more than
 * {@link RING_ENTRIES} frames that have not come back, so neither ring can
 * overflow. Who finds its ring empty sets `waiting`, looks once more, and sleeps;
 * who puts something in then clears it and rings: one {@link DOORBELL} message.
 *
 * To trust a holder so means: it sees every packet and can write to every frame,
 * also while the driver checks or the NIC sends it. What it says is held to the
 * same rules as everybody's words all the same: quotas, grants, whose a frame is.
 */

/** Entries of each ring, and frames that one holder has at most. A power of two. */
export const RING_ENTRIES = 2048;

/** Words of an entry. */
const ENTRY_WORDS = 4;

/** The message that says: look at your ring. */
export const DOORBELL = null;

/** An index has a cache line of its own: its writer's and its reader's would else slow each other. */
const LINE_WORDS = 16;
const PRODUCED = 0;
const WAITING = LINE_WORDS;
const ENTRIES = 2 * LINE_WORDS;
const RING_WORDS = ENTRIES + RING_ENTRIES * ENTRY_WORDS;
const MASK = RING_ENTRIES - 1;

/** Memory of both rings of one holder. */
export type TrustedRings = SharedArrayBuffer;

/** What a trusted holder is given besides its port. */
export interface TrustedAccess {
  /** Packet memory. */
  readonly memory: WebAssembly.Memory;
  /** Number of frames, those of extents included. */
  readonly frameCount: number;
  /** Extents that its last frames are. */
  readonly extentCount: number;
  /** Memory of both rings. */
  readonly rings: TrustedRings;
}

/** Makes the rings of one holder, both empty. */
export function makeTrustedRings(): TrustedRings {
  return new SharedArrayBuffer(2 * RING_WORDS * 4);
}

/** Which of the two. */
export type Direction = "deliveries" | "returns";

const { load, store } = Atomics;

function wordsOf(
  rings: TrustedRings,
  direction: Direction,
): Uint32Array<SharedArrayBuffer> {
  const at = direction === "deliveries" ? 0 : RING_WORDS * 4;
  return new Uint32Array(rings, at, RING_WORDS);
}

/** The side that puts entries in. */
export class RingWriter {
  readonly #words: Uint32Array<SharedArrayBuffer>;
  /** Kept here: what the other side may have written there is never read back. */
  #next = 0;

  constructor(rings: TrustedRings, direction: Direction) {
    this.#words = wordsOf(rings, direction);
    this.#next = load(this.#words, PRODUCED);
  }

  /** Writes an entry; the other side sees it after {@link publish}. The caller knows that there is room. */
  put(offset: number, length: number, slot: number, meta: number): void {
    const at = ENTRIES + (this.#next & MASK) * ENTRY_WORDS;
    const words = this.#words;
    words[at] = offset;
    words[at + 1] = length;
    words[at + 2] = slot;
    words[at + 3] = meta;
    this.#next = (this.#next + 1) >>> 0;
  }

  /** Shows the other side what was put. Returns whether it sleeps, and is to be woken. */
  publish(): boolean {
    const words = this.#words;
    store(words, PRODUCED, this.#next);
    if (load(words, WAITING) === 0) return false;
    store(words, WAITING, 0);
    return true;
  }
}

/** The side that takes entries out. */
export class RingReader {
  /** The ring's words: an entry's four lie from {@link at} on. */
  readonly words: Uint32Array<SharedArrayBuffer>;
  #next = 0;

  constructor(rings: TrustedRings, direction: Direction) {
    this.words = wordsOf(rings, direction);
    this.#next = load(this.words, PRODUCED);
  }

  /** How many entries may be read now; more than {@link RING_ENTRIES} is a lie. */
  get available(): number {
    return (load(this.words, PRODUCED) - this.#next) >>> 0;
  }

  /** Where the entry that is next is among the words. */
  get at(): number {
    return ENTRIES + (this.#next & MASK) * ENTRY_WORDS;
  }

  /** Done with `count` entries. */
  advance(count: number): void {
    this.#next = (this.#next + count) >>> 0;
  }

  /** About to sleep: returns false when there is something to read after all. */
  sleep(): boolean {
    store(this.words, WAITING, 1);
    if (this.available === 0) return true;
    store(this.words, WAITING, 0);
    return false;
  }
}
