/** What the sources' imports come to: folders that name each other, files in circles. */

import type { Source } from "./source.ts";

/** `from` names `to`; both are paths from the project's root. */
type Edge = readonly [from: string, to: string];

function edgesOf(sources: readonly Source[]): Edge[] {
  const known = new Set(sources.map(({ path }) => path));
  return sources.flatMap(({ path, names }) =>
    names.filter((name) => known.has(name)).map((name): Edge => [path, name])
  );
}

/**
 * The two neighbours in the innermost folder around both ends of an edge:
 * `caps/port/port.ts` and `caps/memory/memory.ts` meet as `caps/port` and
 * `caps/memory`.
 */
function neighboursOf([from, to]: Edge): Edge {
  const a = from.split("/");
  const b = to.split("/");
  let depth = 0;
  while (a[depth] === b[depth] && depth < a.length - 1) depth++;
  const upTo = (path: string[]) => path.slice(0, depth + 1).join("/");
  return [upTo(a), upTo(b)];
}

/** Pairs of neighbours, one a folder at least, that name each other's files, with one import each way. */
export function mutualFolders(sources: readonly Source[]): string[] {
  const first = new Map<string, Edge>();
  for (const edge of edgesOf(sources)) {
    const [from, to] = neighboursOf(edge);
    if (from.endsWith(".ts") && to.endsWith(".ts")) continue;
    const key = `${from} ${to}`;
    if (!first.has(key)) first.set(key, edge);
  }
  const pairs: string[] = [];
  for (const [key, edge] of first) {
    const [from, to] = key.split(" ") as [string, string];
    const back = first.get(`${to} ${from}`);
    if (from < to && back !== undefined) {
      pairs.push(`${edge.join(" names ")}, ${back.join(" names ")}`);
    }
  }
  return pairs;
}

/** Circles of files: each set of files of which every one leads to every other. */
export function circles(sources: readonly Source[]): string[][] {
  const next = new Map<string, string[]>();
  for (const [from, to] of edgesOf(sources)) {
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const reached = new Map<string, Set<string>>();
  for (const start of next.keys()) {
    const seen = new Set<string>();
    const rest = [start];
    for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
      for (const to of next.get(at) ?? []) {
        if (!seen.has(to)) {
          seen.add(to);
          rest.push(to);
        }
      }
    }
    reached.set(start, seen);
  }
  const inCircle = [...reached].filter(([path, seen]) => seen.has(path));
  const sets = inCircle.map(([path, seen]) =>
    [...seen].filter((other) => reached.get(other)?.has(path)).sort().join(" ")
  );
  return [...new Set(sets)].map((set) => set.split(" "));
}
