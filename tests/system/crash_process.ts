/**
 * A system on an interface whose driver dies after 20 packets, in each of its
 * lives, without closing anything. The main thread gives up its permissions as
 * the command line does. Runs until its standard input ends; says in a line each
 * that it is up, what failed, and its last snapshot as JSON.
 *
 *     deno run -A crash_process.ts NIC CIDR once|again
 */

import { dropRest } from "../../cli/up/permissions.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { PARTS } from "../../services/system/boot.ts";
import type { Parts } from "../../services/system/parts.ts";
import { RunningSystem } from "../../services/system/running.ts";

const [nic, address, times] = Deno.args;

const parts: Parts = {
  ...PARTS,
  nic(manifest) {
    const nic = PARTS.nic(manifest);
    const worker = manifest.nic.kind === "packet"
      ? new URL("./crashing_packet_worker.ts", import.meta.url)
      : new URL("./crashing_xdp_worker.ts", import.meta.url);
    return {
      ...nic,
      part: { ...nic.part, worker },
      options: {
        ...nic.options as object,
        crash: "throws-aside",
        goodPackets: 20,
      },
      restarts: times === "again",
    };
  },
};

const system = new RunningSystem(
  defaultManifest({ nic: nic!, address: address! }),
  parts,
  {
    confined: true,
    onRestart: ({ failure }) => console.log(`again: ${failure}`),
  },
);
await system.start();
await dropRest();
console.log("up");
system.ended.then((ending) => {
  if (ending.reason === "failed") console.log(`over: ${ending.error.message}`);
});
for await (const _ of Deno.stdin.readable);
const last = await system.stop().catch(() => undefined);
console.log(JSON.stringify(last?.nic ?? null));
Deno.exit(0);
