/** Systems that are started and stopped many times in one process: nothing is left of them. */

import assert from "node:assert/strict";
import { testWith } from "../needs.ts";

const TIMES = 20;

/** Half of the packet memory of all those systems: 4,096 frames of 4 KiB each. */
const GROWTH_KB_MAX = TIMES * 4096 * 4 / 2;

const PROCESS = new URL("./repeat_process.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

type Held = Readonly<Record<"descriptors" | "threads" | "addressesKb", number>>;

for (const how of ["in-process", "confined"]) {
  testWith(
    ["linux"],
    `${TIMES} systems, one after the other, leave no thread, no descriptor, no timer and no memory, ${how}`,
    async () => {
      const { stdout, stderr, code } = await new Deno.Command(
        Deno.execPath(),
        {
          args: [
            ...["run", "-A", "--quiet", "--no-prompt", "--cached-only"],
            ...[`--config=${CONFIG}`, "--v8-flags=--expose-gc"],
            ...[PROCESS, String(TIMES), how],
          ],
        },
      ).output();
      const decoder = new TextDecoder();
      assert.equal(decoder.decode(stderr), "");
      assert.equal(code, 0);
      const said = JSON.parse(decoder.decode(stdout));
      const { before, after }: { before: Held; after: Held } = said;
      assert.equal(after.descriptors, before.descriptors);
      assert.ok(after.threads <= before.threads);
      const growthKb = after.addressesKb - before.addressesKb;
      assert.ok(growthKb < GROWTH_KB_MAX, `${growthKb} KiB more`);
    },
  );
}
