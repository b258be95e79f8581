/** What services in processes print, while they run. */

import { delay } from "@std/async/delay";
import { deepEqual, equal, match } from "node:assert/strict";
import { makePipe } from "../../../caps/port/port.ts";
import { Processes } from "../../../drivers/service/processes.ts";
import { testWith } from "../../needs.ts";

testWith(
  ["linux", "tool:bash"],
  "what a process prints while it runs is passed on, with its name",
  async () => {
    const printed: string[] = [];
    using processes = new Processes({ wake() {} });
    const script = "echo hello >&2; read -r line";
    processes.spawn(1, {
      name: "talker",
      bundle: ["/bin/false"],
      command: ["/bin/bash"],
      unbundled: ["/bin/bash", "-c", script],
      environment: [],
      dataBytesMax: 1 << 30,
    }, { unreadMax: 16, onPrinted: (line) => void printed.push(line) });
    // Before it, what cannot be had of walls here.
    const own = () => printed.filter((line) => line.startsWith("talker: "));
    while (own().length === 0) {
      processes.listen(performance.now());
      await delay(10);
    }
    deepEqual(own(), ["talker: hello"]);
  },
);

testWith(
  ["linux"],
  "a process that cannot be started is its service's failure, in words, and nobody else's",
  () => {
    using processes = new Processes({ wake() {} });
    const missing = ["/nowhere/deno"];
    const started = processes.spawn(1, {
      name: "nobody",
      bundle: missing,
      command: missing,
      unbundled: missing,
      environment: [],
      dataBytesMax: 1 << 30,
    }, { unreadMax: 16, onPrinted: () => {} });
    equal(started, undefined);
    const [control, system] = makePipe<unknown, unknown>();
    const [requests] = makePipe<unknown, unknown>();
    processes.begin(1, { start: {}, control, requests });
    const { kind, message } = system.take() as {
      readonly kind: string;
      readonly message: string;
    };
    equal(kind, "failed");
    match(message, /^its process cannot be started: .*\/nowhere\/deno/);
    processes.end(1);
  },
);
