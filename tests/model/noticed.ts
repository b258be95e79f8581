/** Breaks the system in copies, in one way after the other, and sees that a model says so each time. */

import { deepStrictEqual } from "node:assert/strict";
import { Yard } from "../canary/yard.ts";
import type { Mutation } from "./mutation.ts";

/** Copies that are tried at once. */
const YARDS = 2;

/** A mutation has as many games as the model's own test; most take a few dozen. */
const RUNS = 1;

/** Some for the system as it is, to see that it passes in such a copy. */
const RUNS_UNBROKEN = 0.02;

const UNBROKEN: Mutation = { name: "nothing", edits: [] };

/** Holds that each of `mutations` makes the `property` in `test` fail. */
export async function allAreNoticed(
  mutations: readonly Mutation[],
  { test, property }: { readonly test: string; readonly property: string },
): Promise<void> {
  const waiting = [UNBROKEN, ...mutations];
  const wrong: string[] = [];
  const work = async () => {
    using yard = new Yard();
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const unbroken = one === UNBROKEN;
      const runs = unbroken ? RUNS_UNBROKEN : RUNS;
      const { passed, text } = await yard.run(one.edits, { test, runs });
      const noticed = !passed && text.includes(`${property} ... FAILED`) &&
        text.includes("Repeat with:");
      const expected = unbroken ? passed : noticed;
      if (!expected) wrong.push(`${one.name}\n${text}`);
    }
  };
  await Promise.all(Array.from({ length: YARDS }, work));
  deepStrictEqual(wrong, []);
}
