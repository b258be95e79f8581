/**
 * Mutation testing: changes the code in one small place after the other, and
 * says which changes no test noticed.
 *
 *     deno task mutate                     a sample of each room
 *     deno task mutate caps drivers/service
 *     deno task mutate caps/kernel/slots.ts      every mutant of one file
 *     deno task mutate --all --seed 7 --sample 50 --workers 2
 */

import { parseArgs } from "node:util";
import { EQUIVALENTS } from "./equivalents.ts";
import { Judge, type Verdict } from "./judge.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { type Room, ROOMS } from "./rooms.ts";
import { sampleOf } from "./sample.ts";

const ROOT = new URL("../../", import.meta.url);

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    all: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() & 0xffff) },
    sample: { type: "string", default: "200" },
    workers: { type: "string", default: "2" },
  },
});

/** What was asked for: rooms by name, or files with the tests of their room. */
function chosen(): (Room & { readonly name: string })[] {
  const names = positionals.length > 0 ? positionals : Object.keys(ROOMS);
  return names.map((name) => {
    const room = ROOMS[name];
    if (room !== undefined) return { name, ...room };
    const around = Object.values(ROOMS).find(({ sources }) =>
      sources.some((source) => name === source || name.startsWith(`${source}/`))
    );
    if (around === undefined) {
      console.error(
        `mutate: ${name} is in no room; rooms are ${
          Object.keys(ROOMS).join(", ")
        }`,
      );
      Deno.exit(2);
    }
    return { name, sources: [name], tests: around.tests };
  });
}

function filesOf(source: string): string[] {
  const place = new URL(source, ROOT);
  if (!Deno.statSync(place).isDirectory) return [source];
  return [...Deno.readDirSync(place)].flatMap(({ name }) =>
    name.endsWith(".md") ? [] : filesOf(`${source}/${name}`)
  ).sort();
}

async function mutantsIn(room: Room): Promise<Mutant[]> {
  const found: Mutant[] = [];
  for (const file of room.sources.flatMap(filesOf)) {
    const text = Deno.readTextFileSync(new URL(file, ROOT));
    found.push(...await mutantsOf(file, text));
  }
  return found.filter((mutant) =>
    !EQUIVALENTS.some(({ file, from, to }) =>
      file === mutant.file && from === mutant.from && to === mutant.to
    )
  );
}

/** Judges all mutants, each worker in a copy of its own. */
async function judgeAll(
  tests: readonly string[],
  mutants: readonly Mutant[],
  tell: (mutant: Mutant, verdict: Verdict) => void,
): Promise<void> {
  const waiting = [...mutants];
  await Promise.all(Array.from({ length: Number(values.workers) }, async () => {
    using judge = new Judge(tests);
    await judge.calibrate();
    for (
      let next = waiting.shift();
      next !== undefined;
      next = waiting.shift()
    ) {
      tell(next, await judge.judge(next));
    }
  }));
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}

let weakest = 1;
for (const room of chosen()) {
  const all = await mutantsIn(room);
  // Of a file that was asked for by name, every mutant is tried.
  const isWhole = values.all || ROOMS[room.name] === undefined;
  const mutants = isWhole
    ? all
    : sampleOf(all, Number(values.sample), Number(values.seed));
  let killed = 0;
  console.log(
    `${room.name}: ${mutants.length} of ${all.length} mutants, seed ${values.seed}`,
  );
  await judgeAll(room.tests, mutants, (mutant, verdict) => {
    if (verdict !== "survived") {
      killed++;
      return;
    }
    const { file, line, kind, from, to } = mutant;
    console.log(
      `  survived ${file}:${line} ${kind}: ${oneLine(from)}  →  ${oneLine(to)}`,
    );
  });
  const score = mutants.length === 0 ? 1 : killed / mutants.length;
  weakest = Math.min(weakest, score);
  console.log(
    `${room.name}: ${killed} of ${mutants.length} killed, ${
      (100 * score).toFixed(1)
    } %`,
  );
}
if (weakest < 0.85) Deno.exit(1);
