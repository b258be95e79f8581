/** The soak, a few seconds of it: `deno task soak` is ten minutes. */

import assert from "node:assert/strict";
import { type Need, testWith } from "../needs.ts";
import { NETNS_NEEDS } from "../netns.ts";
import type { Outcome } from "./soak.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const NEEDS: readonly (readonly [nic: string, needs: readonly Need[]])[] = [
  ["emulated", ["linux"]],
  ["xdp", NETNS_NEEDS],
];

/** Runs it; what it found. */
async function soak(nic: string): Promise<Outcome> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--no-prompt", "--cached-only"],
      ...[`--config=${CONFIG}`, MAIN],
      ...["--nic", nic, "--for", "2500ms", "--json"],
    ],
    stdin: "null",
  }).output();
  const outcome = JSON.parse(new TextDecoder().decode(stdout)) as Outcome;
  assert.deepEqual(outcome.findings.wrong, []);
  assert.equal(code, 0);
  return outcome;
}

for (const [nic, needs] of NEEDS) {
  testWith(
    needs,
    `a system on ${nic} under bursts, garbage, failures and capabilities that come and go loses no page, no descriptor, and no echo that nobody counted`,
    async () => {
      const { last: { said, crowd } } = await soak(nic);
      const { snapshot, churned } = said;
      const failing = snapshot.services.find(({ name }) => name === "failing");
      // All of it has happened.
      assert.ok(failing!.restarts >= 1);
      assert.ok(churned.opened > 20 && churned.opened === churned.closed);
      assert.ok(churned.packets > 0);
      for (
        const what of [
          "unruly bursts",
          "unruly garbage",
          "unruly arp-answered",
          "failing udp-answered",
        ]
      ) assert.ok(crowd[what]! > 0, what);
    },
  );
}
