/** No object that a service made reaches the runtime's cloning: one with its mark would end the process. */

import assert from "node:assert/strict";
import type { ServiceSnapshot } from "../../services/system/snapshot.ts";
import { denoRun } from "../child.ts";
import { RUNNING, STARTING } from "./marked_ways.ts";

const PROCESS = new URL("./marked_process.ts", import.meta.url).pathname;
const FLAGS = ["-A", "--unstable-worker-options", "--no-check"];

Deno.test("whatever a third party's service does with the runtime's mark, the process lives on and names who failed", async () => {
  const { code, lines, errors } = await denoRun([...FLAGS, PROCESS]);
  assert.equal(code, 0, errors);
  const { started, services } = JSON.parse(lines.at(-1)!) as {
    readonly started: Readonly<Record<string, string>>;
    readonly services: readonly ServiceSnapshot[];
  };
  for (const [name, { fails }] of Object.entries(STARTING)) {
    assert.match(started[name]!, fails, name);
    assert.ok(started[name]!.includes(name), started[name]);
  }
  for (const [name, { fails, counts, receives }] of Object.entries(RUNNING)) {
    const { state, failure, counters, capabilities } = services.find((one) =>
      one.name === name
    )!;
    if (fails === undefined) {
      assert.deepEqual([name, state, failure], [name, "running", undefined]);
    } else {
      assert.deepEqual([name, state], [name, "failed"]);
      assert.match(failure!, fails, name);
    }
    if (counts !== undefined) {
      assert.deepEqual({ name, ...counters }, { name, ...counts });
    }
    if (receives !== undefined) {
      assert.ok(capabilities[0]!.deliveredPackets > 0, name);
    }
  }
  assert.equal(services.find(({ name }) => name === "arp")!.state, "running");
});

Deno.test("a worker that posts a marked object itself does end its process: the ways are real", async () => {
  const { code, errors } = await denoRun([...FLAGS, PROCESS, "--bare"]);
  assert.notEqual(code, 0);
  assert.match(errors, /panicked/);
});
