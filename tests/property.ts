/** Properties with a seed that is printed on failure, and a command that repeats it. */

import fc from "fast-check";
import { given } from "../caps/kernel/given.ts";
import { afterEvents } from "../services/runtime/event_turn.ts";
import { type Need, testWith } from "./needs.ts";

const seedText = Deno.env.get("SALLYPORT_SEED");
const pathText = Deno.env.get("SALLYPORT_PATH");
const factor = Number(Deno.env.get("SALLYPORT_RUNS") ?? "1");

/** Runs after which the event loop has a turn. */
const RUNS_PER_TURN = 16;

/**
 * A property whose runs leave the event loop turns: what a run leaves behind is
 * collected then. Without, hundreds of runs in one go took ten times as long each.
 */
function withTurns<T>(property: fc.IRawProperty<T>): fc.IRawProperty<T, true> {
  let runs = 0;
  return {
    isAsync: () => true,
    generate: (random, runId) => property.generate(random, runId),
    shrink: (value) => property.shrink(value),
    async run(value) {
      if (++runs % RUNS_PER_TURN === 0) {
        await new Promise<void>((resolve) => afterEvents(resolve));
      }
      return await property.run(value);
    },
    runBeforeEach: async () => await property.runBeforeEach(),
    runAfterEach: async () => await property.runAfterEach(),
  };
}

/** How many runs a property gets: `runs`, times SALLYPORT_RUNS. */
export function runsOf(runs: number): number {
  return Math.max(1, Math.round(runs * factor));
}

/**
 * Registers a test that checks `property` on `runs` values. On failure its
 * message says which seed and path repeat the shrunk counterexample, and how.
 * Where one of its `needs` is missing it is skipped, and says so.
 */
export function testProperty<T>(
  name: string,
  options: {
    readonly runs: number;
    readonly file: string;
    readonly needs?: readonly Need[];
  },
  property: fc.IRawProperty<T>,
): void {
  testWith(options.needs ?? [], name, async () => {
    const seed = seedText === undefined
      ? Date.now() & 0x7fffffff
      : Number(seedText);
    const details = await fc.check(withTurns(property), {
      numRuns: runsOf(options.runs),
      seed,
      ...given({ path: pathText }),
    });
    if (!details.failed) return;
    const file = options.file.replace(/^.*\/tests\//, "tests/");
    throw new Error(
      `${await fc.asyncDefaultReportMessage(details)}\n\nRepeat with:\n  ` +
        `SALLYPORT_SEED=${details.seed} SALLYPORT_PATH=${
          details.counterexamplePath ?? ""
        } ` +
        `deno task test ${file} --filter ${JSON.stringify(name)}\n`,
      { cause: details.errorInstance },
    );
  });
}
