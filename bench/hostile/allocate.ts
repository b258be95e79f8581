/** Allocating without end, in ways that the runtime bounds differently. */

const BUFFER_BYTES = 1 << 20;

/** Objects on the heap. */
export function allocateHeap(kept: unknown[]): never {
  for (;;) kept.push({ a: [1, 2, 3] });
}

/** Buffers beside the heap, written to, so that they really are memory. */
export function allocateBuffers(kept: unknown[]): never {
  for (;;) kept.push(new Uint8Array(BUFFER_BYTES).fill(1));
}
