/**
 * Windows: fields that lie near each other are loaded together. Bytes of a
 * packet lie in memory in the order of the wire, so a little-endian load is not
 * swapped; the constants it is compared with are.
 */

/** Bytes at a place, of which some bits count: big-endian `mask`. */
export interface Piece {
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly mask: number;
}

/** One load that covers one piece or more. */
export interface Window {
  readonly offset: number;
  readonly width: 1 | 2 | 4 | 8;
  /** Indices of the pieces that it covers. */
  readonly pieces: readonly number[];
  /** As many bytes as the load has, in the order of memory. */
  readonly mask: Uint8Array;
}

/**
 * Covers `pieces` with loads within the first `available` bytes. Windows come
 * in the order of their first piece in `pieces`.
 */
export function packWindows(
  pieces: readonly Piece[],
  available: number,
): Window[] {
  const order = pieces.map((_, index) => index)
    .sort((a, b) => pieces[a]!.offset - pieces[b]!.offset || a - b);
  const groups: { start: number; end: number; pieces: number[] }[] = [];
  for (const index of order) {
    const { offset, width } = pieces[index]!;
    const group = groups.at(-1);
    const end = Math.max(group?.end ?? 0, offset + width);
    if (group !== undefined && place(group.start, end, available)) {
      group.end = end;
      group.pieces.push(index);
    } else groups.push({ start: offset, end: offset + width, pieces: [index] });
  }
  return groups.map((group) => {
    const placed = place(group.start, group.end, available);
    if (placed === undefined) throw new Error("filter: a load beyond a check");
    return { ...placed, pieces: group.pieces, mask: new Uint8Array(8) };
  }).map((window) => ({ ...window, mask: maskOf(window, pieces) }))
    .sort((a, b) => Math.min(...a.pieces) - Math.min(...b.pieces));
}

/** The least load from `start` to `end`, moved back where it would reach too far. */
function place(
  start: number,
  end: number,
  available: number,
): { offset: number; width: Window["width"] } | undefined {
  const width = ([1, 2, 4, 8] as const).find((one) => one >= end - start);
  if (width === undefined) return undefined;
  const offset = Math.min(start, available - width);
  return offset < 0 ? undefined : { offset, width };
}

function maskOf(
  window: Omit<Window, "mask">,
  pieces: readonly Piece[],
): Uint8Array {
  const mask = new Uint8Array(window.width);
  for (const index of window.pieces) {
    const { offset, width, mask: bits } = pieces[index]!;
    writeOver(mask, offset - window.offset, width, bits);
  }
  return mask;
}

/**
 * The bytes that a window's masked load has when each piece has its value;
 * undefined when two pieces want different bits of one byte.
 */
export function windowValue(
  window: Window,
  pieces: readonly Piece[],
  values: readonly number[],
): Uint8Array | undefined {
  const bytes = new Uint8Array(window.width);
  for (const index of window.pieces) {
    const { offset, width } = pieces[index]!;
    writeOver(bytes, offset - window.offset, width, values[index]!);
  }
  const holds = window.pieces.every((index) => {
    const { offset, width, mask } = pieces[index]!;
    const value = readBig(bytes, offset - window.offset, width);
    return ((value & mask) >>> 0) === values[index];
  });
  return holds ? bytes : undefined;
}

function writeOver(
  bytes: Uint8Array,
  at: number,
  width: number,
  value: number,
): void {
  for (let index = 0; index < width; index++) {
    bytes[at + index]! |= value >>> (8 * (width - 1 - index));
  }
}

function readBig(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) {
    value = value * 256 + bytes[at + index]!;
  }
  return value;
}

/** The number that a load of these bytes gives. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = value * 256n + BigInt(byte);
  return value;
}
