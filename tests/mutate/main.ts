/**
 * Mutation testing: changes the code in one small place after the other, and
 * says which changes no test noticed.
 *
 *     deno task mutate                     a sample of each room
 *     deno task mutate caps drivers/service
 *     deno task mutate caps/kernel/slots.ts      every mutant of one file
 *     deno task mutate --all --seed 7 --sample 50 --workers 2
 *     deno task mutate --quick             no second look at what survives
 */

import { parseArgs } from "node:util";
import { whyMissing } from "../needs.ts";
import type { CalibratedFile } from "./calibration.ts";
import { EQUIVALENTS } from "./equivalents.ts";
import { Judge, type Verdict } from "./judge.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { type Room, ROOMS } from "./rooms.ts";
import { RunOrder } from "./run_order.ts";
import { sampleOf } from "./sample.ts";
import { lineOf, Tally } from "./tally.ts";

const ROOT = new URL("../../", import.meta.url);

/** The part of a room's mutants that has to be noticed. */
const SCORE_MIN = 0.85;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    all: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() & 0xffff) },
    sample: { type: "string", default: "200" },
    workers: { type: "string", default: "2" },
  },
});
const seed = Number(values.seed);

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

/** Calls `work` for each of `all`, with each judge one at a time. */
async function share<T>(
  judges: readonly Judge[],
  all: readonly T[],
  work: (judge: Judge, one: T) => Promise<void>,
): Promise<void> {
  const waiting = all.values();
  await Promise.all(judges.map(async (judge) => {
    for (const one of waiting) await work(judge, one);
  }));
}

/** Judges all mutants of a room, each worker in a copy of its own. */
async function judgeAll(
  room: Room,
  mutants: readonly Mutant[],
  tell: (mutant: Mutant, verdict: Verdict) => void,
): Promise<void> {
  using stack = new DisposableStack();
  const judges = Array.from(
    { length: Number(values.workers) },
    () => stack.use(new Judge({ seed, thorough: !values.quick })),
  );
  const tests = room.tests.flatMap(filesOf)
    .filter((file) => file.endsWith("_test.ts"));
  const files: CalibratedFile[] = [];
  await share(judges, tests, async (judge, test) => {
    files.push(await judge.calibrate(test));
  });
  const order = new RunOrder(files);
  await share(judges, mutants, async (judge, mutant) => {
    tell(mutant, await judge.judge(mutant, order));
  });
}

const missing = whyMissing("tool:sh");
if (missing !== undefined) {
  console.error(`mutate: ${missing}`);
  Deno.exit(2);
}
let weakest = 1;
for (const room of chosen()) {
  const all = await mutantsIn(room);
  // Of a file that was asked for by name, every mutant is tried.
  const isWhole = values.all || ROOMS[room.name] === undefined;
  const mutants = isWhole ? all : sampleOf(all, Number(values.sample), seed);
  const tally = new Tally();
  console.log(
    `${room.name}: ${mutants.length} of ${all.length} mutants, seed ${seed}`,
  );
  await judgeAll(room, mutants, (mutant, verdict) => {
    tally.add(verdict);
    if (verdict !== "failed") console.log(`  ${lineOf(mutant, verdict)}`);
  });
  console.log(`${room.name}: ${tally}`);
  weakest = Math.min(weakest, tally.score);
}
if (weakest < SCORE_MIN) Deno.exit(1);
