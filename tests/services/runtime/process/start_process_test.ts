/** Processes that the runtime starts, with programs in a service's place that do not do what a service does. */

import { deepEqual, equal, match } from "node:assert/strict";
import type { ProcessCommand } from "../../../../caps/driver/messages.ts";
import { HEADER_BYTES, KIND } from "../../../../caps/port/stream/message.ts";
import { startProcess } from "../../../../services/runtime/process/start_process.ts";

/** A process of `deno eval code`, or of another program. */
function commandOf(code: string, program = Deno.execPath()): ProcessCommand {
  return {
    name: "fake",
    bundle: [],
    command: [],
    unbundled: [program, "eval", "--no-config", code],
    environment: ["NO_COLOR=1"],
    dataBytesMax: 1_200_000_000,
  };
}

/** A process that runs, with the other ends of its channels. */
class Started implements Disposable {
  readonly printed: string[] = [];
  readonly control: MessagePort;
  readonly data: MessagePort;
  readonly kill: () => void;
  readonly crashed: Promise<string>;
  readonly #ports: readonly MessagePort[];

  constructor(command: ProcessCommand, start: unknown = {}) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.crashed = promise;
    const [control, requests, data] = Array.from(
      { length: 3 },
      () => new MessageChannel(),
    ) as [MessageChannel, MessageChannel, MessageChannel];
    this.control = control.port1;
    this.data = data.port1;
    this.#ports = [control.port1, requests.port1, data.port1];
    this.kill = startProcess({
      command,
      start,
      control: control.port2,
      requests: requests.port2,
      data: data.port2,
    }, {
      onCrash: resolve,
      onPrinted: (line) => this.printed.push(line),
    });
  }

  [Symbol.dispose](): void {
    this.kill();
    for (const port of this.#ports) port.close();
  }
}

const BAD_KIND = [0, 0, 0, 0, 99, 0, 0, 0];
const HUGE = [255, 255, 255, 255, KIND.value, 0, 1, 0];
const HALF = [64, 0, 0, 0, KIND.value, 0, 1, 0, 123];

const ENDINGS: readonly [what: string, code: string, says: RegExp][] = [
  ["ends by itself", "Deno.exit(3)", /^its process ended with code 3$/],
  [
    "is killed",
    "Deno.kill(Deno.pid, 'SIGKILL')",
    /^its process was ended by signal SIGKILL$/,
  ],
  [
    "writes what is no message, and goes on",
    `Deno.stdout.writeSync(Uint8Array.of(${BAD_KIND})); setInterval(() => {}, 1000)`,
    /^it wrote what is no message$/,
  ],
  [
    "announces 4 GiB",
    `Deno.stdout.writeSync(Uint8Array.of(${HUGE})); setInterval(() => {}, 1000)`,
    /^it announced a message of 4294967295 bytes; 16777216 at most$/,
  ],
  [
    "ends within a message",
    `Deno.stdout.writeSync(Uint8Array.of(${HALF}))`,
    /^its process ended with code 0$/,
  ],
  [
    "sends nonsense without end",
    `const bytes = new Uint8Array(${HEADER_BYTES} * 1000);
     for (let at = 0; at < bytes.length; at += ${HEADER_BYTES}) bytes[at + 4] = ${KIND.string};
     for (;;) Deno.stdout.writeSync(bytes)`,
    /^too many of its messages made no sense$/,
  ],
];

for (const [what, code, says] of ENDINGS) {
  Deno.test(`a process that ${what} is ended, and why is said once`, async () => {
    using started = new Started(commandOf(code));
    match(await started.crashed, says);
  });
}

Deno.test("what a process prints is told before its end, without what a terminal would obey", async () => {
  const code =
    `console.error("\\x1b[2Jno"); console.error("luck"); Deno.exit(1)`;
  using started = new Started(commandOf(code));
  match(await started.crashed, /^its process ended with code 1$/);
  deepEqual(started.printed, ["fake: \ufffdno", "fake: luck"]);
});

Deno.test("a process that cannot be started is told in words, once its end is there", async () => {
  using started = new Started(commandOf("", "/nowhere/deno"));
  match(
    await started.crashed,
    /^its process cannot be started: .*'\/nowhere\/deno'/,
  );
});

Deno.test({
  name: "a program that may run nothing is told so",
  permissions: { run: false, read: true },
  fn: async () => {
    using started = new Started(commandOf(""));
    match(
      await started.crashed,
      /^its process cannot be started: Requires run access to/,
    );
  },
});

Deno.test("where prlimit and setpriv may be run, a process has its memory limited and no new privileges", async () => {
  const code =
    `console.error(Deno.readTextFileSync("/proc/self/limits").match(/data size +\\d+/)[0]);
     console.error(Deno.readTextFileSync("/proc/self/status").match(/NoNewPrivs:\\s+1/)[0]);`;
  using started = new Started(commandOf(code));
  match(await started.crashed, /^its process ended with code 0$/);
  deepEqual(started.printed.map((line) => line.replace(/\s+/g, " ")), [
    "fake: data size 1200000000",
    "fake: NoNewPrivs: 1",
  ]);
});

Deno.test("a process that spins is killed with the thread that started it", async () => {
  const module = new URL("./spinning_process.ts", import.meta.url).pathname;
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", module],
    stdout: "piped",
  }).spawn();
  const output = parent.stdout.pipeThrough(new TextDecoderStream());
  let pid = "";
  for await (const text of output) {
    pid += text;
    if (pid.endsWith("\n")) break;
  }
  equal(await lives(pid.trim()), true);
  parent.kill("SIGKILL");
  await parent.status;
  while (await lives(pid.trim())) await turn();
});

Deno.test("a process that is killed is gone, and says nothing more", async () => {
  const code = "console.error(Deno.pid); for (;;) ;";
  using started = new Started(commandOf(code));
  while (started.printed.length === 0) await turn();
  const pid = started.printed[0]!.slice("fake: ".length);
  started.kill();
  while (await lives(pid)) await turn();
  const last = await Promise.race([started.crashed, turn()]);
  equal(last, undefined);
});

const turn = (): Promise<undefined> =>
  new Promise((resolve) => setTimeout(resolve, 10, undefined));

async function lives(pid: string): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`)
    .catch(() => "");
  return status !== "" && !/^State:\tZ/m.test(status);
}
