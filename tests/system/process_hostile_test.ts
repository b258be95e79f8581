/** Third parties' services that mean ill, each in a process of its own: the kernel ends them, and nobody else notices. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { commandOf } from "../command.ts";
import { testWith } from "../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../netns.ts";
import { ADDRESS, answers, datagrams } from "./far_kernel.ts";
import { snapshotIn, upWithManifest } from "./up_process.ts";

const NEEDS = [
  ...NETNS_NEEDS,
  "tool:ping",
  "tool:cat",
  "bundler",
] as const;

/** Where the hostile service gets its packets. */
const PORT = 4009;

/** A module whose core does this with its first packet. */
function moduleOf(act: string, before = ""): string {
  return `
    ${before}
    export default (({ filter }) => ({
      receives: () => filter.grant("udp dst port ${PORT}"),
      sends: () => filter.grant("udp src port ${PORT}"),
      make: () => ({
        wakeAt: Infinity,
        wake() {},
        receive() { ${act} return "handled"; },
        counters: () => ({}),
      }),
    }));`;
}

/** A system with such a service, while it is used. */
async function withHostile(
  module: string,
  use: (pair: NamespacePair) => Promise<void>,
): Promise<SystemSnapshot> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/hostile.ts`;
    await Deno.writeTextFile(path, module);
    await using pair = await makeNamespacePair();
    const place = "process";
    await using process = upWithManifest({
      nic: `packet:${INTERFACE}`,
      address: `${ADDRESS}/24`,
      services: {
        arp: { core: "arp", place },
        "icmp-echo": { core: "icmp-echo", place },
        "udp-echo": { core: "udp-echo", place },
        hostile: {
          core: "module",
          path,
          place,
          restart: 1,
          receives: `udp dst port ${PORT}`,
        },
      },
    }, { space: pair.right });
    await answers(pair.left);
    await use(pair);
    assert.deepEqual(await datagrams(pair.left, 100), {
      sent: 100,
      intact: 100,
    });
    return snapshotIn(await process.interrupt());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sends a datagram to the hostile service now and then, for as long as `work` takes. */
async function provoked(
  { left }: NamespacePair,
  work: Promise<unknown>,
): Promise<void> {
  const script = `
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    for (;;) {
      await socket.send(new Uint8Array(8), { transport: "udp", hostname: "${ADDRESS}", port: ${PORT} });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }`;
  const path = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(path, script);
  const command = left.command([
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", "--unstable-net", "--allow-net", path],
  ]);
  const child = commandOf(command).spawn();
  try {
    await work;
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(path);
  }
}

/** The ways to mean ill, and what is said of each when it is over. */
const WAYS: readonly [what: string, module: string, failure: RegExp][] = [
  [
    "spins",
    moduleOf("for (;;) {}"),
    /it stopped answering; it was ended/,
  ],
  [
    "allocates buffers without end",
    moduleOf(
      "for (;;) kept.push(new Uint8Array(1 << 24).fill(1));",
      "const kept: Uint8Array[] = [];",
    ),
    /allocation failed|signal|code|stopped answering/i,
  ],
  [
    "makes Wasm memories without end",
    moduleOf(
      "for (;;) { const m = new WebAssembly.Memory({ initial: 256 }); new Uint8Array(m.buffer).fill(1); kept.push(m); }",
      "const kept: WebAssembly.Memory[] = [];",
    ),
    /memory|signal|code|stopped answering/i,
  ],
  [
    "fills its heap",
    moduleOf(
      "for (;;) kept.push({ text: String(kept.length).repeat(100) });",
      "const kept: object[] = [];",
    ),
    /signal|code|stopped answering/,
  ],
  [
    "waits without end for what never comes",
    moduleOf(
      "Atomics.wait(new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer), 0, 0);",
    ),
    /stopped answering|Atomics/,
  ],
];

for (const [what, module, failure] of WAYS) {
  testWith(
    NEEDS,
    `a service in a process that ${what} is gone, for good after its restarts, and the others lose nothing`,
    async () => {
      const { services, pages } = await withHostile(module, async (pair) => {
        const others = async () => {
          for (let round = 0; round < 14; round++) {
            const said = await datagrams(pair.left, 50);
            assert.deepEqual(said, { sent: 50, intact: 50 });
            await delay(500);
          }
        };
        await provoked(pair, others());
      });
      assert.equal(pages.free, pages.total, JSON.stringify(pages));
      for (const { name, state, restarts, failure: why } of services) {
        if (name !== "hostile") {
          assert.deepEqual([name, state, restarts], [name, "running", 0]);
          continue;
        }
        assert.match(why ?? "", failure);
        assert.notEqual(restarts, 0);
      }
    },
  );
}
