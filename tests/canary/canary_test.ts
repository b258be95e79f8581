/**
 * Were the code broken, its tests would say so: it is broken here, in a copy,
 * again and again. `SALLYPORT_FAULT=words` tries only the faults whose names
 * contain those words.
 */

import { deepStrictEqual } from "node:assert/strict";
import { CALLED_FAULTS } from "./called.ts";
import { CAPS_FAULTS } from "./caps.ts";
import { CHILD_FAULTS } from "./children.ts";
import { DRIVER_SERVICE_FAULTS } from "./driver_service.ts";
import type { Fault } from "./fault.ts";
import { FILTER_FAULTS } from "./filter.ts";
import { NIC_FAULTS } from "./nics.ts";
import { SERVICE_FAULTS } from "./services.ts";
import { STREAM_FAULTS } from "./streams.ts";
import { SYSTEM_FAULTS } from "./system.ts";
import { Yard } from "./yard.ts";

/** Copies that are tried at once. */
const YARDS = 2;

const wanted = Deno.env.get("SALLYPORT_FAULT") ?? "";

let yards: Yard[] | undefined;

/** Why a fault counts as not noticed; undefined where a test failed, and not its loading alone. */
async function whyUnnoticed(
  yard: Yard,
  { edits, test, filter }: Fault,
): Promise<string | undefined> {
  const trial = { test: `tests/${test}`, filter, runs: 1 };
  const { passed, text } = await yard.run(edits, trial);
  return !passed && / \.\.\. FAILED|\(uncaught error\)/.test(text)
    ? undefined
    : text;
}

for (
  const [folder, faults] of Object.entries({
    caps: CAPS_FAULTS,
    "the driver service": DRIVER_SERVICE_FAULTS,
    "what the driver calls": CALLED_FAULTS,
    "drivers of NICs": NIC_FAULTS,
    "child processes": CHILD_FAULTS,
    "the streams of processes": STREAM_FAULTS,
    "the filter service": FILTER_FAULTS,
    "other services": SERVICE_FAULTS,
    "the system, manifests and the command line": SYSTEM_FAULTS,
  })
) {
  Deno.test(`each fault planted in ${folder} is noticed by the test that is there for it`, async () => {
    const waiting = faults.filter(({ name }) => name.includes(wanted));
    const unnoticed: string[] = [];
    const work = async (yard: Yard) => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const why = await whyUnnoticed(yard, one);
        if (why !== undefined) unnoticed.push(`${one.name}\n${why}`);
      }
    };
    yards ??= Array.from({ length: YARDS }, () => new Yard());
    await Promise.all(yards.map(work));
    deepStrictEqual(unnoticed, []);
  });
}

Deno.test.afterAll(() => {
  for (const yard of yards ?? []) yard[Symbol.dispose]();
});
