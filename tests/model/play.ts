/** Whole games in this thread. */

import { Game } from "./game.ts";
import { InProcess } from "./in_process.ts";
import type { Move } from "./moves.ts";
import type { Nic } from "./nics.ts";

/** Plays one game; throws when system and model come apart. */
export async function play(
  moves: readonly Move[],
  nic: Nic = "pages",
): Promise<void> {
  using system = new InProcess(nic);
  const game = new Game(system, nic);
  await game.start();
  for (const move of moves) await game.play(move);
}
