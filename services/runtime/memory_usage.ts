/**
 * What this thread and this process use of memory. A confined worker takes
 * `Deno` away from itself and its shell still answers this: services/runtime/confine.ts
 * loads it before.
 */

// Elsewhere than on Deno there are no workers of ours to ask.
const usage = typeof Deno === "undefined" ? undefined : Deno.memoryUsage;

/** What this thread uses: its heap, and the buffers beside it. Wasm memories are counted for no thread. */
export function threadBytes(): number {
  if (usage === undefined) return 0;
  const { heapTotal, external } = usage();
  return heapTotal + external;
}

/** What the whole process has in memory. */
export function residentBytes(): number {
  return usage?.().rss ?? 0;
}
