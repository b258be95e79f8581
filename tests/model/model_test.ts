/** The capability system does what the reference says, whatever is done to it. */

import fc from "fast-check";
import { testProperty } from "../property.ts";
import { Game } from "./game.ts";
import { InProcess } from "./in_process.ts";
import { PROPERTY } from "./property_name.ts";
import { anyMove, type Move } from "./moves.ts";

async function play(moves: readonly Move[]): Promise<void> {
  using system = new InProcess();
  const game = new Game(system);
  await game.start();
  for (const move of moves) await game.play(move);
}

testProperty(
  PROPERTY,
  { runs: 20_000, file: import.meta.url },
  fc.asyncProperty(
    fc.array(anyMove, { minLength: 1, maxLength: 20, size: "max" }),
    play,
  ),
);
