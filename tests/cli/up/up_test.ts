import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  type CommandLine,
  runCommandLine,
} from "../../../cli/command/command.ts";
import { UP_OPTIONS } from "../../../cli/up/options.ts";
import { upCommand } from "../../../cli/up/up.ts";
import type { Boot } from "../../../cli/up/boot.ts";
import {
  fakeSystem,
  type FakeTerminal,
  fakeTerminal,
  snapshotOf,
} from "../fake_system.ts";

function run(
  args: string,
  options: { boot?: Boot; terminal?: FakeTerminal; debug?: boolean } = {},
): Promise<number> {
  const line: CommandLine = {
    commands: [upCommand(options.boot ?? fakeSystem().boot)],
    version: "sallyport 0",
    debug: options.debug ?? false,
  };
  const words = args.split(" ").filter((word) => word !== "");
  return runCommandLine(words, options.terminal ?? fakeTerminal(), line);
}

Deno.test("up --for stops the system after that time, with the summary", async () => {
  const system = fakeSystem();
  const terminal = fakeTerminal();
  strictEqual(await run("up --for 20ms", { boot: system.boot, terminal }), 0);
  strictEqual(system.log.stops, 1);
  strictEqual(system.log.confined, true);
  match(terminal.out, /^up on emulated .*\n(.*\n)*ran 12\.0 s on emulated/);
  match(terminal.out, /\npeer: 120 pings sent, 120 answered\n$/);
  strictEqual(terminal.err, "");
  strictEqual(terminal.listening, false);
});

Deno.test("up --json prints the final snapshot as one JSON object and nothing else", async () => {
  for (const interactive of [false, true]) {
    const terminal = fakeTerminal({ interactive });
    strictEqual(await run("start --json --for 5ms", { terminal }), 0);
    deepStrictEqual(JSON.parse(terminal.out), snapshotOf(120));
    strictEqual(terminal.err, "");
  }
});

Deno.test("up --picture prints what is wired and nothing else, and stops the system", async () => {
  for (
    const [args, printed] of [
      ["up --picture", "a picture as text\n"],
      ["up --picture=text --in-process", "a picture as text\n"],
      ["up --picture=dot", "a picture as dot\n"],
    ] as const
  ) {
    const system = fakeSystem();
    const terminal = fakeTerminal({ interactive: true });
    strictEqual(await run(args, { boot: system.boot, terminal }), 0);
    deepStrictEqual([terminal.out, terminal.err], [printed, ""]);
    strictEqual(system.log.stops, 1);
  }
});

Deno.test("up stops at the first interrupt, during the start too, and takes the same Ctrl-C twice", async () => {
  const terminal = fakeTerminal();
  const system = fakeSystem({ onSnapshot: () => terminal.interrupt() });
  strictEqual(await run("up", { boot: system.boot, terminal }), 0);
  strictEqual(system.log.stops, 1);

  const early = fakeSystem();
  const boot: Boot = (manifest, options) => {
    terminal.interrupt();
    terminal.interrupt();
    return early.boot(manifest, options);
  };
  strictEqual(await run("up", { boot, terminal }), 0);
  strictEqual(early.log.stops, 1);
  deepStrictEqual(terminal.statuses, []);
});

Deno.test("up ends at once at a second interrupt, and shows the cursor again", async () => {
  const terminal = fakeTerminal({ interactive: true });
  const system = fakeSystem({
    onSnapshot: () => terminal.interrupt(),
    onStop: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const press = () => {
        terminal.interrupt();
        if (terminal.statuses.length > 0) resolve();
        else setTimeout(press, 20);
      };
      press();
      await promise;
    },
  });
  await run("up", { boot: system.boot, terminal });
  strictEqual(terminal.statuses[0], 130);
  ok(terminal.out.includes("\x1b[?25h"));
});

Deno.test("up stops by itself when the NIC has ended", async () => {
  const system = fakeSystem({
    onSnapshot: (_, { end }) => end({ reason: "nic-ended" }),
  });
  const terminal = fakeTerminal();
  strictEqual(await run("up", { boot: system.boot, terminal }), 0);
  strictEqual(system.log.stops, 1);
  match(terminal.out, /\nran 12\.0 s/);
});

Deno.test("up tells a failure of the system in one line and fails, still with the summary", async () => {
  const system = fakeSystem({
    onSnapshot: (_, { end }) =>
      end({ reason: "failed", error: new Error("the driver\nis \x1bgone") }),
  });
  const terminal = fakeTerminal();
  strictEqual(await run("up", { boot: system.boot, terminal }), 1);
  strictEqual(terminal.err, "sallyport: the driver; is ?gone\n");
  match(terminal.out, /\nran 12\.0 s/);
});

Deno.test("up tells why a system does not start, is not seen, or does not stop", async () => {
  const boot = () => Promise.reject(new Error("no such interface"));
  const refused = fakeTerminal();
  strictEqual(await run("up", { boot, terminal: refused }), 1);
  strictEqual(refused.err, "sallyport: no such interface\n");
  strictEqual(refused.out, "");
  strictEqual(refused.listening, false);

  const unseen = fakeTerminal();
  const system = fakeSystem({
    onSnapshot: () => {
      throw new Error("cannot look");
    },
    onStop: () => Promise.reject(new Error("cannot stop either")),
  });
  strictEqual(await run("up", { boot: system.boot, terminal: unseen }), 1);
  strictEqual(unseen.err, "sallyport: cannot look\n");

  const stuck = fakeTerminal();
  const { boot: stuckBoot } = fakeSystem({
    onStop: () => Promise.reject(new Error("cannot stop")),
  });
  strictEqual(
    await run("up --for 1ms", { boot: stuckBoot, terminal: stuck }),
    1,
  );
  strictEqual(stuck.err, "sallyport: cannot stop\n");
});

Deno.test("errors show their stack only when asked for", async () => {
  const boot = () => Promise.reject(new Error("no such interface"));
  const terminal = fakeTerminal();
  await run("up", { boot, terminal, debug: true });
  match(
    terminal.err,
    /^sallyport: no such interface\nError: no such.*\n\s+at /,
  );
});

Deno.test("up stops when nobody reads its output any more", async () => {
  const system = fakeSystem();
  const terminal = fakeTerminal({ writesMax: 1 });
  strictEqual(await run("up", { boot: system.boot, terminal }), 0);
  strictEqual(system.log.stops, 1);
});

Deno.test("up redraws its table in place on a terminal, and leaves the cursor as it was", async () => {
  const terminal = fakeTerminal({ interactive: true });
  const system = fakeSystem({
    onSnapshot: (pings, { end }) => pings === 2 && end({ reason: "nic-ended" }),
  });
  await run("up", { boot: system.boot, terminal });
  const { out } = terminal;
  const table = out.slice(0, out.indexOf("\x1b[J"));
  const rows = table.split("\n").length - 1;
  ok(out.startsWith("\x1b[?25l"));
  ok(out.includes(`\r\x1b[${rows}A`), out);
  ok(out.endsWith("\x1b[?25h"));
  ok(!out.includes("\x1b[32m"), "no colours unless wanted");

  const colored = fakeTerminal({ interactive: true, color: true });
  await run("up --for 1ms", { terminal: colored });
  ok(colored.out.includes("\x1b[32micmp-echo · in a worker · running\x1b[0m"));
});

Deno.test("a manifest may have comments and trailing commas", async () => {
  const system = fakeSystem();
  const manifest = `{
    "nic": "emulated", // as long as the other one is away
    "address": "10.0.0.1/8",
    "services": { "pong": { "core": "icmp-echo", }, }, /* "seed": 4 */
    "seed": 5,
  }`;
  const terminal = fakeTerminal({ files: { "m.jsonc": manifest } });
  const args = "up --manifest m.jsonc --for 1ms";
  strictEqual(await run(args, { boot: system.boot, terminal }), 0);
  strictEqual(system.log.manifest?.seed, 5);
  deepStrictEqual(Object.keys(system.log.manifest!.services), ["pong"]);
});

Deno.test("up's options override the manifest's fields", async () => {
  const system = fakeSystem();
  const manifest = JSON.stringify({
    nic: "emulated",
    address: "10.0.0.1/8",
    seed: 9,
    services: { pong: { core: "icmp-echo" } },
  });
  const terminal = fakeTerminal({ files: { "m.json": manifest } });
  const options = { boot: system.boot, terminal };
  const args = "up --manifest m.json --address=10.0.0.7/8 --nic xdp:veth0 " +
    "--mac 02:00:00:00:00:01 --pace at-once --write o.pcap --in-process --for 1ms";
  strictEqual(await run(args, options), 0, terminal.err);
  deepStrictEqual(system.log.manifest, {
    nic: { kind: "xdp", interfaceName: "veth0" },
    address: { address: 0x0a000007, prefixBits: 8, text: "10.0.0.7/8" },
    addresses: [
      { address: { version: 4, value: 0x0a000007n }, prefixBits: 8 },
    ],
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    unclaimed: "kernel",
    extents: 16,
    frames: 4096,
    pace: "at-once",
    spin: false,
    write: "o.pcap",
    seed: 9,
    services: {
      pong: {
        core: "icmp-echo",
        quotaPages: 64,
        copyBytesMax: 2048,
        place: "worker",
        restart: 5,
      },
    },
  });
  strictEqual(system.log.confined, false);
  await run("up --seed 3 --unclaimed drop --for 1ms", options);
  strictEqual(system.log.manifest?.seed, 3);
  deepStrictEqual(Object.keys(system.log.manifest!.services), [
    "arp",
    "icmp-echo",
    "udp-echo",
  ]);
});

const REFUSED: readonly (readonly [args: string, line: RegExp])[] = [
  ["", /^usage: sallyport COMMAND/],
  ["upp", /^sallyport: unknown command "upp"; did you mean up\?\n$/],
  [
    "frobnicate",
    /^sallyport: unknown command "frobnicate"; `sallyport help` lists them\n$/,
  ],
  ["help upp", /unknown command "upp"/],
  [
    "up --nick emulated",
    /^sallyport: unknown option "--nick"; did you mean --nic\?\n$/,
  ],
  ["up --frobnicate", /^sallyport: unknown option "--frobnicate"\n$/],
  ["up --\x1b[2J", /^sallyport: unknown option "--\?\[2J"\n$/],
  [
    "up emulated",
    /^sallyport: unexpected argument "emulated"; options begin with two dashes\n$/,
  ],
  ["up -x", /unexpected argument "-x"/],
  ["up --nic", /^sallyport: --nic needs a value: --nic NIC\n$/],
  ["up --nic --json", /--nic needs a value/],
  ["up --nic=", /--nic needs a value/],
  ["up --json=false", /--json takes no value/],
  ["up --json --json", /--json is given twice/],
  [
    "up --picture=png",
    /^sallyport: --picture: expected text or dot, got "png"\n$/,
  ],
  ["up --picture dot", /unexpected argument "dot"/],
  [
    "up --picture --for 5s",
    /^sallyport: --picture ends once it is printed; leave out --for\n$/,
  ],
  ["up --picture=dot --json", /leave out --json\n$/],
  ["up --nic emulated --nic=emulated", /--nic is given twice/],
  [
    "up --nic dpdk:0",
    /^sallyport: --nic: expected emulated, .* or udp:LOCAL,PEER,key=FILE, got "dpdk:0"\n$/,
  ],
  ["up --address 10.0.0.0/8", /^sallyport: --address: .*network's own address/],
  ["up --mac 01:00:00:00:00:00", /^sallyport: --mac: expected a unicast/],
  [
    "up --pace fast",
    /^sallyport: --pace: expected "at-once" or "recorded", got "fast"\n$/,
  ],
  [
    "up --seed -3",
    /^sallyport: --seed: expected a whole number from 0 to 4294967295, got "-3"\n$/,
  ],
  [
    "up --unclaimed pass",
    /^sallyport: --unclaimed: expected "kernel" or "drop"/,
  ],
  [
    "up --unclaimed kernel",
    /^sallyport: --unclaimed: expected "drop": behind emulated there is no kernel\n$/,
  ],
  [
    "up --for 5",
    /^sallyport: --for: expected a time such as 500ms, 5s, 2m or 1h \(at most 596h\), got "5"\n$/,
  ],
  [
    "up --manifest bad.json",
    /^sallyport: --manifest "bad.json": it is not JSON \(it ends too early, line \d+, column \d+\)\n$/,
  ],
  [
    "up --manifest list.json",
    /^sallyport: manifest: expected an object with the manifest's fields, got a list of 1 \(in "list.json"\)\n$/,
  ],
  [
    "up --manifest wrong.json --nic x",
    /^sallyport: --nic: .*got "x"\nsallyport: services\.a\.port: .*got "y" \(in "wrong.json"\)\n$/,
  ],
];

for (const [args, line] of REFUSED) {
  Deno.test(`${JSON.stringify(`sallyport ${args}`)} is refused with status 2, and boots nothing`, async () => {
    const system = fakeSystem();
    const terminal = fakeTerminal({
      files: {
        "bad.json": "{",
        "list.json": "[1]",
        "wrong.json":
          '{"nic": "emulated", "address": "10.0.0.1/8", "services": {"a": {"core": "udp-echo", "port": "y"}}}',
      },
    });
    strictEqual(await run(args, { boot: system.boot, terminal }), 2);
    match(terminal.err, line);
    strictEqual(terminal.out, "");
    strictEqual(system.log.manifest, undefined);
  });
}

Deno.test("up fails with status 1 when the manifest file cannot be read", async () => {
  const terminal = fakeTerminal();
  strictEqual(await run("up --manifest none.json", { terminal }), 1);
  strictEqual(
    terminal.err,
    'sallyport: --manifest "none.json": cannot read it (No such file)\n',
  );
});

Deno.test("up --help lists every option, every NIC and the exit statuses, within 80 columns", async () => {
  for (const args of ["up --help", "start -h", "help up"]) {
    const terminal = fakeTerminal();
    strictEqual(await run(args, { terminal }), 0);
    for (const { name } of UP_OPTIONS) {
      match(terminal.out, new RegExp(`--${name}[ [=]`));
    }
    for (
      const nic of [
        "emulated",
        "wire:NAME",
        "xdp:IFNAME",
        "packet:IFNAME",
        "tap:NAME",
        "tun:NAME",
        "pcap:FILE",
        "udp:LOCAL",
      ]
    ) {
      match(terminal.out, new RegExp(`\n  ${nic}[ ,\n]`));
    }
    match(terminal.out, /exit status: 0 .*; 1 failed.*; 2 .*130/s);
    for (const line of terminal.out.split("\n")) ok(line.length <= 80, line);
  }
});

Deno.test("sallyport help lists the commands, --version prints the version", async () => {
  const terminal = fakeTerminal();
  strictEqual(await run("help", { terminal }), 0);
  match(terminal.out, /\n {2}up, start\s+run a system/);
  const version = fakeTerminal();
  strictEqual(await run("--version", { terminal: version }), 0);
  strictEqual(version.out, "sallyport 0\n");
});
