/**
 * Packet memory: one shared `WebAssembly.Memory` in which every frame lies, so
 * that a NIC's rings and a compiled classifier read the same bytes.
 *
 * ```
 * 0          4 KiB            64 KiB            8 MiB                             end
 * ├──────────┼────────────────┼─────────────────┼─ frame 0 ─┬─ frame 1 ─┬ … ┬ … ──┤
 *  never used  two batches      classifier        4,096 bytes each            extents
 *              (receive, send)  tables
 * ```
 *
 * The last frames may be extents: {@link EXTENT_PAGES} frames each, side by
 * side, that are always handled as one, under the number of the first.
 *
 * The memory is created once, by whoever wires the system, with initial =
 * maximum: it never grows, so views of it stay good. A driver borrows it.
 */

/** Bytes of one page, and of one frame of packet memory. */
export const PAGE_BYTES = 4096;

/** log2 of {@link PAGE_BYTES}: `offset >>> PAGE_SHIFT` counts pages. */
export const PAGE_SHIFT = 12;

/**
 * Frames of an extent. A TAP hands over segments of up to 65,535 bytes behind an
 * Ethernet header and its own; 16 pages would cut them off silently.
 */
export const EXTENT_PAGES = 17;

/** Bytes of an extent. */
export const EXTENT_BYTES = EXTENT_PAGES * PAGE_BYTES;

/** The most packets that one batch holds. */
export const BATCH_MAX = 256;

/** Where the receive batch's arrays start, in bytes. */
export const RECEIVE_BATCH_OFFSET = 4096;

/** Where the send batch's arrays start, in bytes. */
export const SEND_BATCH_OFFSET = 20480;

/** Where a compiled classifier keeps its tables, in bytes. */
export const TABLES_OFFSET = 65536;

/** Bytes that a compiled classifier may use for its tables. */
export const TABLES_BYTES = 8 * 1024 * 1024 - TABLES_OFFSET;

/** Where frame 0 starts, in bytes: a page boundary. */
export const FRAMES_OFFSET = 8 * 1024 * 1024;

/**
 * Bytes that stay free in front of a packet in its frame, for headers that are
 * put there later: as many as XDP leaves (XDP_PACKET_HEADROOM, `linux/bpf.h`).
 */
export const HEADROOM_BYTES = 256;

/** Bytes of a page of WebAssembly: what the size of a memory is counted in. */
const WASM_PAGE_BYTES = 65536;

/** The most frames that one packet memory may hold (1 GiB of them), extents' included. */
export const FRAMES_MAX = 262144;

/** Packet memory with what everybody needs to know of it. */
export interface PacketMemory {
  /** Shared, and never grown. A classifier imports it as `env.memory`. */
  readonly wasm: WebAssembly.Memory;
  /** All of it as bytes. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** How many frames it holds, those of extents included. */
  readonly frameCount: number;
  /** How many extents its last frames are. */
  readonly extentCount: number;
}

/**
 * Makes packet memory with room for `frameCount` single frames, and behind them
 * for `extentCount` extents.
 *
 * @throws {RangeError} when `frameCount` is not a whole number of at least 16,
 * `extentCount` none of at least 0, or both together are more than
 * {@link FRAMES_MAX} frames.
 */
export function makePacketMemory(
  frameCount: number,
  extentCount: number = 0,
): PacketMemory {
  const total = frameCount + extentCount * EXTENT_PAGES;
  if (
    !Number.isInteger(frameCount) || frameCount < 16 ||
    !Number.isInteger(extentCount) || extentCount < 0 || total > FRAMES_MAX
  ) {
    throw new RangeError(
      `packet memory: ${frameCount} frames and ${extentCount} extents; it must be whole numbers, at least 16 frames, together at most ${FRAMES_MAX} frames`,
    );
  }
  const wasmPages = wasmPagesFor(total);
  const wasm = new WebAssembly.Memory({
    initial: wasmPages,
    maximum: wasmPages,
    shared: true,
  });
  return openPacketMemory(wasm, total, extentCount);
}

/**
 * Opens packet memory that somebody else made (it arrives in a message):
 * `frameCount` frames in all, the last of which are `extentCount` extents.
 */
export function openPacketMemory(
  wasm: WebAssembly.Memory,
  frameCount: number,
  extentCount: number = 0,
): PacketMemory {
  const bytes = new Uint8Array(wasm.buffer as unknown as SharedArrayBuffer);
  if (bytes.byteLength < FRAMES_OFFSET + frameCount * PAGE_BYTES) {
    throw new RangeError(
      `packet memory: ${bytes.byteLength} bytes cannot hold ${frameCount} frames`,
    );
  }
  return { wasm, bytes, frameCount, extentCount };
}

/** Pages of WebAssembly that a packet memory of `frameCount` frames, extents' included, is. */
export function wasmPagesFor(frameCount: number): number {
  return Math.ceil(frameOffset(frameCount) / WASM_PAGE_BYTES);
}

/** Pages of WebAssembly that `memory` is: what a classifier for it is compiled for. */
export function wasmPagesOf(memory: PacketMemory): number {
  return memory.bytes.byteLength / WASM_PAGE_BYTES;
}

/**
 * Frames, or pages of quota, that holders may have in all: a quarter of
 * `frameCount` frames stays the NIC's, whatever holders do.
 */
export function lendableFrames(frameCount: number): number {
  return frameCount - Math.ceil(frameCount / 4);
}

/** The byte offset of frame `frame` in packet memory. */
export function frameOffset(frame: number): number {
  return FRAMES_OFFSET + frame * PAGE_BYTES;
}

/**
 * The frame in which the byte at `offset` of packet memory lies. A packet in an
 * extent starts in the first of its frames.
 */
export function frameAt(offset: number): number {
  return (offset - FRAMES_OFFSET) >>> PAGE_SHIFT;
}

/**
 * A batch of packets: six arrays in packet memory, side by side, so that one
 * call of a classifier reads and fills the first three.
 *
 * ```
 * base          +1024         +2048       +3072         +4096          +5120
 * ├ offset[256] ┼ length[256] ┼ slot[256] ┼ tagLow[256] ┼ tagHigh[256] ┼ offload[256] ┤
 *                                                                        u32 each
 * ```
 */
export interface Batch {
  /** Where the arrays start in packet memory: what a classifier is called with. */
  readonly address: number;
  /** Byte offset in packet memory of each packet's first byte. */
  readonly offset: Uint32Array<SharedArrayBuffer>;
  /** Bytes of each packet. */
  readonly length: Uint32Array<SharedArrayBuffer>;
  /** The slot that a classifier chose; {@link SLOT_NONE} for "not interested". */
  readonly slot: Uint32Array<SharedArrayBuffer>;
  /** Low half of the tag that a NIC found in front of the packet; 0 if none. */
  readonly tagLow: Uint32Array<SharedArrayBuffer>;
  /** High half of that tag; 0 if none. */
  readonly tagHigh: Uint32Array<SharedArrayBuffer>;
  /**
   * What is known of each packet's checksum and segmentation (caps/port/offload.ts).
   * A NIC that knows nothing of it leaves it alone: 0.
   */
  readonly offload: Uint32Array<SharedArrayBuffer>;
}

/** Distance in bytes from one of a batch's arrays to the next. */
export const BATCH_ARRAY_BYTES = BATCH_MAX * 4;

/** How many arrays a batch is. */
const BATCH_ARRAYS = 6;

/** The batch whose arrays start at `address` of `memory`. */
export function batchAt(memory: PacketMemory, address: number): Batch {
  return batchIn(memory.bytes.buffer, address);
}

/** A batch outside packet memory: no classifier sees it. */
export function privateBatch(): Batch {
  return batchIn(new SharedArrayBuffer(BATCH_ARRAYS * BATCH_ARRAY_BYTES), 0);
}

function batchIn(buffer: SharedArrayBuffer, address: number): Batch {
  const array = (index: number) =>
    new Uint32Array(buffer, address + index * BATCH_ARRAY_BYTES, BATCH_MAX);
  return {
    address,
    offset: array(0),
    length: array(1),
    slot: array(2),
    tagLow: array(3),
    tagHigh: array(4),
    offload: array(5),
  };
}
