/** A part of a list that is the same for the same seed. */

/** At most `count` of `all`, in their order, chosen by `seed`. */
export function sampleOf<T>(
  all: readonly T[],
  count: number,
  seed: number,
): T[] {
  const next = mulberry32(seed);
  return all.map((one, index) => ({ one, index, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ one }) => one);
}

/** Numbers from 0 to 1 (Tommy Ettinger's mulberry32): the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
