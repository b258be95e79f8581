/** How `up` tells of what fails while it runs. */

import { match, ok, strictEqual } from "node:assert/strict";
import type { Boot } from "../../cli/up/boot.ts";
import { runCommandLine } from "../../cli/command/command.ts";
import { upCommand } from "../../cli/up/up.ts";
import { DEFAULT_MANIFEST } from "../../services/manifest/manifest.ts";
import { fakeSystem, type FakeTerminal, fakeTerminal } from "./fake_system.ts";

function run(
  args: readonly string[],
  boot: Boot,
  terminal: FakeTerminal,
): Promise<number> {
  return runCommandLine(["up", ...args], terminal, {
    commands: [upCommand(boot)],
    version: "sallyport 0",
    debug: false,
  });
}

/** A system whose services of these names fail after a while. */
function failing(names: readonly string[]): Boot {
  return async (manifest, options) => {
    const fail = () => {
      for (const name of names) {
        options.onServiceFailed(name, "it threw\x1b[31m");
      }
    };
    setTimeout(fail, 5);
    return await fakeSystem().boot(manifest, options);
  };
}

for (const args of [["--for", "30ms"], ["--for", "30ms", "--json"]]) {
  Deno.test(`up ${args.join(" ")} tells when a service fails, goes on, and ends with status 1`, async () => {
    const terminal = fakeTerminal();
    strictEqual(await run(args, failing(["arp"]), terminal), 1);
    strictEqual(
      terminal.err,
      "sallyport: service arp failed: it threw?[31m\n",
    );
    if (args.includes("--json")) JSON.parse(terminal.out);
    else match(terminal.out, /\nran 12\.0 s/);
  });
}

Deno.test("up ends when every service has failed", async () => {
  const terminal = fakeTerminal();
  const names = Object.keys(DEFAULT_MANIFEST.services);
  strictEqual(await run([], failing(names), terminal), 1);
  match(terminal.err, /^(sallyport: service .*\n){3}/);
  match(terminal.err, /\nsallyport: every service has failed\n$/);
  match(terminal.out, /\nran 12\.0 s/);
});

Deno.test("up tells a failure above the live table, which is drawn anew below it", async () => {
  const terminal = fakeTerminal({ interactive: true });
  const args = ["--for", "30ms"];
  strictEqual(await run(args, failing(["arp"]), terminal), 1);
  match(terminal.err, /^sallyport: service arp failed/);
  // deno-lint-ignore no-control-regex
  ok(/\r\x1b\[\d+A\x1b\[J\r/.test(terminal.out), JSON.stringify(terminal.out));
});

Deno.test("up fails, still with the summary, when the NIC's end was no good one", async () => {
  const warning = "pcap:a.pcap: the capture ends within a packet";
  const system = fakeSystem({
    onSnapshot: (_, { end }) => end({ reason: "nic-ended", warning }),
  });
  const terminal = fakeTerminal();
  strictEqual(await run([], system.boot, terminal), 1);
  strictEqual(terminal.err, `sallyport: ${warning}\n`);
  match(terminal.out, /\nran 12\.0 s/);
});
