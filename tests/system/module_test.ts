/** Third parties' services as a user runs them: by the command line, with the flags of the task. */

import assert from "node:assert/strict";
import { describeGrant } from "../../services/filter/grant/describe.ts";
import { withPriorityTagged } from "../../services/filter/grant/priority_tagged.ts";
import { grant } from "../../services/filter/grant/text/grant_text.ts";
import { ModuleError } from "../../services/loader/module_error.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import { testWith } from "../needs.ts";
import { INTERFACE, makeNamespacePair, NETNS_NEEDS } from "../netns.ts";
import { snapshotIn, up, UpProcess } from "./up_process.ts";

const ADDRESS = "10.77.0.2";
const EXAMPLE = new URL("../../examples/dns_who_am_i.ts", import.meta.url)
  .pathname;
const DNS = `udp dst port 53 and dst host ${ADDRESS}`;

/** A module of this text, in a file that goes with `using`. */
function moduleOf(text: string): { path: string; [Symbol.dispose](): void } {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/mine.ts`;
  Deno.writeTextFileSync(path, text);
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** A service that gets the emulated peer's noise; its core is `core`. */
function hostile(before: string, core: string): string {
  return `${before}
    export default ((kit) => ({
      receives: () => kit.filter.grant("udp dst portrange 1024-65535"),
      sends: () => kit.filter.grant("udp src portrange 1024-65535 and src host ${ADDRESS} and ether src 02:53:0a:4d:00:02"),
      make: (settings) => (${core}),
    }));`;
}

const NOISE = "udp dst portrange 1024-65535";

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "a resolver on the far side of a veth is answered by the example service",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    await using process = new UpProcess([
      ...["--nic", `xdp:${INTERFACE}`, "--address", `${ADDRESS}/24`],
      ...["--service", `${EXAMPLE}=${DNS}`, "--json"],
    ], { space: right });
    // A resolver that asks until the system is up.
    const client = `
      const options = { nameServer: { ipAddr: "${ADDRESS}", port: 53 } };
      for (let tries = 0; ; tries++) {
        try {
          console.log(await Deno.resolveDns("who.am.i.test", "A", options));
          break;
        } catch (error) {
          if (tries === 10) throw error;
        }
      }`;
    const run = [Deno.execPath(), "eval", "--quiet", client];
    const said = await left.run(...run);
    assert.equal(said.trim(), '[ "10.77.0.1" ]');
    const { err, code, out } = await process.interrupt();
    assert.equal(code, 0, err);
    const mine = snapshotIn({ out, err, code }).services
      .find(({ name }) => name === "dns-who-am-i")!;
    assert.ok(mine.counters["answered"]! >= 1);
    assert.equal(mine.capabilities.length, 1);
    // It narrowed what the command line gave it.
    assert.match(mine.capabilities[0]!.filter, /ether dst 02:53:0a:4d:00:02/);
  },
);

const channels = Deno.readTextFileSync(
  new URL("../services/loader/channels.ts", import.meta.url),
).replaceAll("export ", "");

/** Tries what the shell, its ports and the language itself could be got at by; counts what worked. */
const PRY = `
  const open = {};
  const attempt = (name, step) => {
    try { if (step()) open[name] = 1; } catch { /* closed */ }
  };
  for (const [name, target, key] of [
    ["Array", Array.prototype, "push"], ["Promise", Promise.prototype, "then"],
    ["Map", Map.prototype, "set"], ["Object", Object.prototype, "valueOf"],
    ["Function", Function.prototype, "call"], ["Error", Error, "prepareStackTrace"],
    ["iterator", Object.getPrototypeOf([][Symbol.iterator]()), "next"],
    ["bytes", Object.getPrototypeOf(Uint8Array.prototype), "set"],
    ["kit", kit, "wire"], ["wire", kit.wire, "getU16"],
    ["responder", kit.core.Responder.prototype, "wake"],
    ["global", globalThis, "setTimeout"], ["JSON", JSON, "parse"],
  ]) attempt("changed " + name, () => {
    const mine = () => "mine";
    target[key] = mine;
    return target[key] === mine;
  });
  for (
    const name of [
      "onmessage", "onerror", "addEventListener", "MessagePort", "MessageEvent",
      "EventTarget", "FinalizationRegistry", "SharedArrayBuffer",
    ]
  ) {
    attempt("found " + name, () => globalThis[name] !== undefined);
  }
  for (const name of ["Deno", "process", "Buffer"]) {
    attempt("put " + name, () => { globalThis[name] = {}; return name in globalThis; });
  }
  attempt("found timers", () => Object.keys(setTimeout(() => {}, 1e6)).length > 0);
  attempt("computed elsewhere", () => crypto.subtle !== undefined);
  const pry = (out) => {
    for (let at = out; at !== null; at = Object.getPrototypeOf(at)) {
      for (const key of Reflect.ownKeys(at)) attempt("a port in " + String(key), () =>
        typeof out[key]?.postMessage === "function" || typeof out[key]?.post === "function");
    }
  };`;

Deno.test("a third party's service finds no way out, whatever it tries, and is served all the same", async () => {
  using module = moduleOf(hostile(
    `// @ts-nocheck\n${channels}\nconst found = openChannels();`,
    `(() => {${PRY}
      let tried = 0, seen = 0;
      found.then((ways) => {
        tried = ways.tried;
        for (const way of ways.open) open[way] = 1;
      });
      const error = new Error("x");
      error.name = "assigned";
      if (error.name !== "assigned") open["an error without a name"] = 1;
      return {
        wakeAt: Infinity,
        wake() {},
        receive(frame, now, out) { seen++; pry(out); return "handled"; },
        counters: () => ({ tried, seen, ...open }),
      };
    })()`,
  ));
  const result = await up([
    ...["--for", "1s", "--json"],
    ...["--service", `${module.path}=${NOISE}`],
  ]);
  assert.equal(result.code, 0, result.err);
  const { counters } = snapshotIn(result).services
    .find(({ name }) => name === "mine")!;
  const { tried, seen, ...open } = counters;
  assert.deepEqual(open, {});
  assert.ok(tried! > 60, `${tried} ways tried`);
  assert.ok(seen! > 0);
});

Deno.test("a service that asks for everything has what the command line says, and sends under no other's address", async () => {
  using module = moduleOf(`
    export default (() => ({
      receives: () => [{}],
      sends: () => [{}],
      make: () => ({
        wakeAt: Infinity,
        wake() {},
        receive: () => "reply", // just as it came, under the peer's address
        counters: () => ({}),
      }),
    }));`);
  const result = await up([
    ...["--for", "1s", "--json"],
    ...["--service", `${module.path}=${NOISE}`],
  ]);
  assert.equal(result.code, 0, result.err);
  const { services, peer } = snapshotIn(result);
  const [mine, ...more] = services.find(({ name }) => name === "mine")!
    .capabilities;
  assert.deepEqual(more, []);
  // What it has is shown, not what it asked for.
  assert.equal(mine!.filter, describeGrant(withPriorityTagged(grant(NOISE))));
  assert.ok(mine!.deliveredPackets > 0);
  assert.ok(mine!.deliveredPackets <= peer!["noise-sent"]!);
  assert.equal(mine!.sentPackets, 0);
  assert.notDeepEqual(mine!.drops, {});
  const echo = services.find(({ name }) => name === "udp-echo")!;
  assert.ok(echo.capabilities[0]!.sentPackets > 0);
});

const REFUSED:
  readonly (readonly [what: string, text: string, says: RegExp])[] = [
    [
      "imports",
      'import fs from "node:fs";\nexport default () => fs;',
      /mine\.ts:1:1: "import" of another module; bundle it into one file first/,
    ],
    [
      "imports while it runs",
      'export default async () => {\n  await import("node:worker_threads");\n};',
      /mine\.ts:2:9: "import\(…\)"; a service loads nothing/,
    ],
    ["is no module", "export default {", /mine\.ts:1:17: /],
    ["exports nothing", "const a = 1;", /it has no "export default"/],
  ];

/** Starts a system with a service of this text in this process; what is said when it cannot. */
async function refusal(text: string): Promise<Error> {
  using module = moduleOf(text);
  const mine = { core: "module", path: module.path, receives: NOISE } as const;
  try {
    const manifest = defaultManifest({ services: { mine } });
    const system = await boot(manifest, { confined: true });
    await system.stop();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it started");
}

Deno.test("a service's module that is not accepted is refused before anything starts", async () => {
  for (const [what, text, says] of REFUSED) {
    const error = await refusal(text);
    assert.ok(error instanceof ModuleError, what);
    assert.match(error.message, says);
  }
  // To the command line that is a mistake of its user's.
  const [, text, says] = REFUSED[0]!;
  using module = moduleOf(text);
  const run = await up(["--service", `${module.path}=${NOISE}`]);
  assert.equal(run.code, 2, run.err);
  assert.match(run.err, says);
  assert.equal(run.out, "");
});

const FAILS: readonly (readonly [what: string, text: string, says: RegExp])[] =
  [
    ["exports no function", "export default 1;", /default export is a number/],
    [
      "makes no service",
      "export default () => ({ receives() {}, sends() {} });",
      /the service has no function "make"/,
    ],
    [
      "throws while it is loaded",
      'throw new Error("not\\n\\u001b[31mtoday"); export default 1;',
      /did not start: not \[31mtoday$/m,
    ],
    [
      "asks for what is no grant",
      "export default () => ({ receives: () => [{ a: 1 }], sends: () => [{}], make() {} });",
      /did not start: /,
    ],
  ];

Deno.test("a service that does not start is told in one line", async () => {
  await Promise.all(FAILS.map(async ([what, text, says]) => {
    const { message } = await refusal(text);
    assert.match(message, says, what);
    assert.equal(message.split("\n").length, 1, what);
  }));
  const [, text, says] = FAILS.find(([what]) => what.startsWith("throws"))!;
  using module = moduleOf(text);
  const run = await up([
    ...["--for", "1s", "--service", `${module.path}=${NOISE}`],
  ]);
  assert.equal(run.code, 1, run.err);
  assert.match(run.err, says);
  assert.equal(run.err.trimEnd().split("\n").length, 1);
});

/** What a module does in a timer, and what the system is told of it. */
const LATE: readonly (readonly [what: string, step: string, says: RegExp])[] = [
  [
    "throws escapes and lines",
    'throw new Error("a\\u001b[31m\\nsallyport: all is well\\u0007")',
    /^sallyport: service mine failed: a[^\n]*sallyport: all is well/m,
  ],
  [
    "throws a message of 256 MiB",
    'throw new Error("m".repeat(2 ** 28))',
    // Where the machine is busy, making the message takes longer than it may.
    /service mine failed: (m{100}|it stopped answering)/,
  ],
  [
    "reports an error to nobody",
    'reportError("r".repeat(2 ** 24))',
    /service mine failed: r{100}/,
  ],
  [
    "throws in a microtask",
    'queueMicrotask(() => { throw "e".repeat(2 ** 24); })',
    /service mine failed: e{100}/,
  ],
  [
    "rejects a promise that nobody awaits",
    'Promise.reject(new Error("p".repeat(2 ** 24)))',
    /service mine failed: p{100}/,
  ],
];

Deno.test("a service that fails in a timer fails alone, in one bounded line without escapes", async () => {
  await Promise.all(LATE.map(async ([what, step, says]) => {
    using module = moduleOf(`
      export default (() => ({
        receives: () => [{}],
        sends: () => [{}],
        make: (_settings, _ports, done = false) => ({
          wakeAt: Infinity,
          wake() {},
          receive: () => {
            if (!done) setTimeout(() => { ${step}; });
            done = true;
            return "handled";
          },
          counters: () => ({}),
        }),
      }));`);
    const result = await up([
      ...["--for", "8s"],
      ...["--service", `${module.path}=${NOISE}`],
    ]);
    const said = result.out + result.err;
    assert.match(said, says, `${what}: ${said.slice(0, 3000)}`);
    assert.match(said, /udp-echo: [1-9]/, `${what}: ${said.slice(0, 3000)}`);
    assert.ok(said.length < 20_000, `${what}: ${said.length} characters`);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x08\x0b-\x1f\x7f]/.test(said), `${what}: ${said}`);
    assert.doesNotMatch(said, /^sallyport: all is well/m, what);
    assert.doesNotMatch(said, /Uncaught/, what);
  }));
});

Deno.test("a service lives whatever delay it gives a timer, and its timers are bounded", async () => {
  using module = moduleOf(`
    export default (() => ({
      receives: () => [{}],
      sends: () => [{}],
      make: () => {
        const counts = { fired: 0, cleared: 0, refused: 0, repeated: 0 };
        for (const delay of [-5, NaN, -Infinity, undefined, "x", 0, {}, 0.5]) {
          setTimeout((by) => counts.fired += by, delay, 1);
        }
        clearTimeout(setTimeout(() => counts.cleared = 1, -1));
        setTimeout(() => counts.fired = 1000, Infinity);
        const every = setInterval(() => {
          if (++counts.repeated === 3) clearInterval(every);
        }, NaN);
        for (let i = 0; i < 100; i++) clearTimeout(i);
        const wrong = [() => setTimeout("1"), () => setTimeout(undefined)];
        for (const each of wrong) { try { each(); } catch { counts.refused++; } }
        try { for (;;) setTimeout(() => {}, 1e9); } catch { counts.refused++; }
        return { wakeAt: Infinity, wake() {}, receive: () => "handled", counters: () => counts };
      },
    }));`);
  const result = await up([
    ...["--for", "1s", "--json"],
    ...["--service", `${module.path}=${NOISE}`],
  ]);
  assert.equal(result.code, 0, result.err);
  const { counters } = snapshotIn(result).services
    .find(({ name }) => name === "mine")!;
  assert.deepEqual(counters, {
    fired: 8,
    cleared: 0,
    refused: 3,
    repeated: 3,
  });
});
