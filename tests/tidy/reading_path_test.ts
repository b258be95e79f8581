/** The reading paths lead to what is there, and are no longer than they say. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { readReadmes } from "./markdown.ts";
import { linesOf, type Stop, stopsOf } from "./reading_path.ts";
import { readSources } from "./source.ts";

const FILES_MAX = 8;
const LINES_MAX = 450;

const sources = new Map(readSources().map((source) => [source.path, source]));
const readmes = readReadmes().filter((readme) => stopsOf(readme).length > 0);

function linesAt(stop: Stop): number | undefined {
  const source = sources.get(stop.path);
  return source && linesOf(stop, source);
}

Deno.test("a packet and the filter compiler have a reading path", () => {
  deepEqual(readmes.map(({ path }) => path), [
    "drivers/README.md",
    "services/filter/README.md",
  ]);
});

for (const readme of readmes) {
  const stops = stopsOf(readme);

  Deno.test(`${readme.path}: whatever its reading path names is in the file named`, () => {
    const missing = stops.filter((stop) => linesAt(stop) === undefined);
    deepEqual(missing, []);
  });

  Deno.test(`${readme.path}: its reading path is no longer than it says`, () => {
    const files = new Set(stops.map(({ path }) => path)).size;
    const lines = stops.reduce((sum, stop) => sum + (linesAt(stop) ?? 0), 0);
    const said = /\bat\s+most\s+(\d+)\s+files\s+and\s+(\d+)\s+lines\b/
      .exec(readme.text);
    const [, filesMax, linesMax] = (said ?? []).map(Number);
    ok(filesMax! <= FILES_MAX && linesMax! <= LINES_MAX, "it says too many");
    ok(files <= filesMax!, `${files} files`);
    ok(lines <= linesMax!, `${lines} lines`);
  });
}

Deno.test("a stop that is not there, or there twice, is none", () => {
  const source = sources.get("tests/tidy/reading_path.ts")!;
  const at = (name: string) => linesOf({ path: source.path, name }, source);
  equal(at("Stop.path"), undefined);
  equal(at("nowhere"), undefined);
  ok(at("stopsOf")! > 5);
});
