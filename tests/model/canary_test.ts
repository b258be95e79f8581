/** Were the system broken, the model would say so: it is broken here, in a copy, again and again. */

import { deepStrictEqual } from "node:assert/strict";
import { type Mutation, MUTATIONS } from "./mutations.ts";
import { PROPERTY } from "./property_name.ts";
import { Yard } from "../canary/yard.ts";

/** Copies that are tried at once. */
const YARDS = 2;

/** A mutation has as many games as the model's own test; most take a few dozen. */
const RUNS = 1;

/** Some for the system as it is, to see that it passes in such a copy. */
const RUNS_UNBROKEN = 0.02;

const UNBROKEN: Mutation = { name: "nothing", edits: [] };

Deno.test("each way to break one invariant is noticed by the model", async () => {
  const waiting = [UNBROKEN, ...MUTATIONS];
  const wrong: string[] = [];
  const work = async () => {
    using yard = new Yard();
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const unbroken = one === UNBROKEN;
      const runs = unbroken ? RUNS_UNBROKEN : RUNS;
      const { passed, text } = await yard.run(one.edits, {
        test: "tests/model/model_test.ts",
        runs,
      });
      const noticed = !passed && text.includes(`${PROPERTY} ... FAILED`) &&
        text.includes("Repeat with:");
      const expected = unbroken ? passed : noticed;
      if (!expected) wrong.push(`${one.name}\n${text}`);
    }
  };
  await Promise.all(Array.from({ length: YARDS }, work));
  deepStrictEqual(wrong, []);
});
