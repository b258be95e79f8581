/** The name that somebody probably meant, for errors about unknown ones. */

const NAME_LENGTH_MAX = 64;

/**
 * The candidate with the fewest edits (insert, delete, replace a character; the
 * Levenshtein distance) from `name`, or undefined when none is near: at most
 * one edit for each three characters, and at least one is allowed.
 */
export function nearest(
  name: string,
  candidates: readonly string[],
): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(name, candidate);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** The Levenshtein distance of two strings, in UTF-16 code units. */
export function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! +
        (from[row - 1] === to[column - 1] ? 0 : 1);
      const removed = above[column]! + 1;
      const inserted = current[column - 1]! + 1;
      current.push(Math.min(replaced, removed, inserted));
    }
    above = current;
  }
  return above[to.length]!;
}
