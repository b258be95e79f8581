/**
 * Is this thing exactly an ArrayBuffer? The getters are taken when this module
 * loads, so that nothing that a message or a later script brings can answer in
 * their place.
 */

import { EXTENT_BYTES, PAGE_BYTES } from "./memory.ts";

const prototype = ArrayBuffer.prototype;
const byteLengthOf = Object.getOwnPropertyDescriptor(prototype, "byteLength")!
  .get!;
const resizableOf = Object.getOwnPropertyDescriptor(prototype, "resizable")!
  .get!;
const detachedOf = Object.getOwnPropertyDescriptor(prototype, "detached")!.get!;
const call = Function.prototype.call.bind(Function.prototype.call) as (
  getter: () => unknown,
  target: unknown,
) => unknown;

/**
 * True when `value` is an ArrayBuffer (not shared, not resizable, not detached)
 * of exactly `sizeBytes`. Never throws, whatever `value` is.
 */
export function isBufferOf(
  value: unknown,
  sizeBytes: number,
): value is ArrayBuffer {
  try {
    // The getters throw on everything that is not an ArrayBuffer itself.
    return call(byteLengthOf, value) === sizeBytes &&
      call(resizableOf, value) === false &&
      call(detachedOf, value) === false;
  } catch {
    return false;
  }
}

/** True when `value` is such a buffer of a page, or of an extent. */
export function isPageOrExtent(value: unknown): value is ArrayBuffer {
  return isBufferOf(value, PAGE_BYTES) || isBufferOf(value, EXTENT_BYTES);
}
