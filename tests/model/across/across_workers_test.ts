/** Games across threads: what is so in one thread is so between them. */

import fc from "fast-check";
import { testProperty } from "../../property.ts";
import { Game } from "../game.ts";
import {
  anyMove,
  faultMove,
  type Move,
  movesOf,
  receiveMove,
  submitMove,
} from "../moves.ts";
import { AcrossWorkers, Workers } from "./across_workers.ts";

/** Each holder gets a port of its own, in pages: with so few games, most are to get there. */
const opening: readonly Move[] = [0, 1, 2].map((to) => ({
  op: "derive",
  from: { by: "holder", cap: 0, port: 0 },
  grant: [{ low: to, high: to }],
  rights: ["receive", "send", "derive", "delegate"],
  quotaPages: 3,
  copyBytesMax: 0,
  to,
}));

const moves = fc.tuple(
  fc.constantFrom([], opening, opening, opening),
  movesOf(fc.oneof(
    { weight: 4, arbitrary: anyMove },
    { weight: 2, arbitrary: receiveMove },
    { weight: 2, arbitrary: submitMove },
    { weight: 1, arbitrary: faultMove },
  )),
).map(([first, then]) => [...first, ...then]);

let workers: Workers | undefined;

testProperty(
  "with every holder in a confined worker and the driver in another, the system does what the reference says",
  { runs: 100, file: import.meta.url },
  fc.asyncProperty(moves, async (moves) => {
    workers ??= new Workers();
    await using system = await AcrossWorkers.begin(workers);
    const game = new Game(system);
    await game.start();
    for (const move of moves) await game.play(move);
  }),
);

Deno.test.afterAll(() => workers?.[Symbol.dispose]());
