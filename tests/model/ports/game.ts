/** Plays moves with the reference of ports and the real ends at once, and compares all that services hear and count. */

import { deepStrictEqual } from "node:assert/strict";
import type { PortMove } from "./moves.ts";
import { PortsReference } from "./reference.ts";
import { PortsSystem } from "./system.ts";
import { ASKERS } from "./terms.ts";

/** Plays one game; throws when they come apart. */
export function playPorts(moves: readonly PortMove[]): void {
  const reference = new PortsReference();
  const system = new PortsSystem();
  const settle = () => {
    reference.settle();
    system.settle();
    for (const name of ASKERS) {
      const { log, tally } = reference.askers[name];
      deepStrictEqual(system.seen(name), seen(log, tally));
    }
    deepStrictEqual(system.seen("b"), seen(reference.log, reference.tally));
  };
  settle();
  for (const move of moves) {
    for (const one of [reference, system]) play(one, move);
    settle();
  }
}

function seen(log: readonly string[], tally: ReadonlyMap<string, number>) {
  return { log, counts: Object.fromEntries(tally) };
}

/** Does a move to one of the two. */
function play(one: PortsReference | PortsSystem, move: PortMove): void {
  switch (move.op) {
    case "ask":
      one.ask(move.by, move.values);
      break;
    case "answer":
      one.answer(move.to, move.isDeclined);
      break;
    case "push":
      for (let i = 0; i < move.count; i++) one.push(i, move.to);
      break;
    case "stall":
      one.stall(move.who, move.stalled);
      break;
    case "elapse":
      one.elapse(move.ms);
      break;
    case "restart":
      one.restart(move.who);
      break;
    case "forge-to-answerer":
      for (let i = 0; i < move.times; i++) {
        one.forgeToAnswerer(move.by, move.how);
      }
      break;
    case "forge-to-asker":
      for (let i = 0; i < move.times; i++) one.forgeToAsker(move.to, move.how);
  }
}
