/** Measuring processes side by side, of which each round gives several figures. */

import { type Measure, summarize } from "./rounds.ts";

/** The command that runs a contestant, or why it cannot run. */
export type Command = readonly string[] | string;

/** What one contestant did, round by round; or why it cannot run. */
export type Rounds<Round> = readonly Round[] | string;

/** Runs those that can run in turn, `rounds` times. */
export async function takeRounds<Name extends string, Round>(
  contestants: Readonly<Record<Name, Command>>,
  measure: (command: readonly string[]) => Promise<Round>,
  rounds: number,
): Promise<Record<Name, Rounds<Round>>> {
  const all = Object.entries<Command>(contestants).map(([name, command]) => ({
    name,
    command,
    did: [] as Round[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { command, did } of all) {
      if (typeof command !== "string") did.push(await measure(command));
    }
  }
  return Object.fromEntries(
    all.map(({ name, command, did }) => [
      name,
      typeof command === "string" ? command : did,
    ]),
  ) as Record<Name, Rounds<Round>>;
}

/** One figure over all rounds; or why there is none. */
export function figureOf<Name extends string>(
  did: Rounds<Readonly<Record<Name, number>>>,
  figure: Name,
): Measure | string {
  if (typeof did === "string") return did;
  return summarize(did.map((round) => round[figure]));
}
