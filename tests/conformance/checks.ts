/** What the suite checks with. */

import { ok } from "node:assert/strict";

/** Resolves with `promise`; what hangs is a failure with words, not a hang. */
export async function within(
  promise: Promise<unknown>,
  why: string,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), 10_000);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** How many of `all` are missing in `some`, which must be the others in order. */
export function subsequence(
  what: string,
  some: readonly Uint8Array[],
  all: readonly Uint8Array[],
): number {
  let at = 0;
  for (const [i, frame] of some.entries()) {
    while (at < all.length && !sameBytes(frame, all[at]!)) at++;
    ok(
      at < all.length,
      `${what} frame ${i} (${frame.length} bytes) is changed, out of order, or nobody's`,
    );
    at++;
  }
  return all.length - some.length;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
