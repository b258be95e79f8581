/** The library, as a program of somebody else's has it. */

import { deepEqual, equal, match } from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { denoRun } from "./child.ts";

const MODULE = new URL("../mod.ts", import.meta.url).href;

/** Runs `program` in a folder of its own, with a configuration of its own. */
async function runImporter(
  program: string,
  options: {
    readonly unstable?: readonly string[];
    readonly flags?: string[];
    readonly imports?: Readonly<Record<string, string>>;
    /** Further files, by name. */
    readonly files?: Readonly<Record<string, string>>;
  },
): Promise<{ code: number; lines: readonly string[]; errors: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "importer" });
  try {
    const { unstable = [], flags = [] } = options;
    const { imports = config.imports } = options;
    Deno.writeTextFileSync(
      `${folder}/deno.json`,
      JSON.stringify({ imports, unstable, lock: false }),
    );
    Deno.writeTextFileSync(
      `${folder}/main.ts`,
      program.replace("MODULE", JSON.stringify(MODULE)),
    );
    for (const [name, text] of Object.entries(options.files ?? {})) {
      const written = text.replace("MODULE", JSON.stringify(MODULE));
      Deno.writeTextFileSync(`${folder}/${name}`, written);
    }
    return await denoRun([...flags, "main.ts"], folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const ANSWERS_PINGS = `
import { boot, defaultManifest } from MODULE;
const system = await boot(defaultManifest(), { confined: CONFINED });
let peer;
do {
  await new Promise((resolve) => setTimeout(resolve, 20));
  peer = (await system.snapshot()).peer;
} while ((peer["ping-answered"] ?? 0) < 10);
await system.stop();
console.log("answered");
`;

Deno.test("a program that imports the library, and does nothing, ends by itself and says nothing", async () => {
  const output = await runImporter("import MODULE;", {});
  deepEqual(output, { code: 0, lines: [], errors: "" });
});

Deno.test("a program that has types checked by Deno's own settings can import the library", async () => {
  const flags = ["--check"];
  const { code, errors } = await runImporter("import MODULE;", { flags });
  equal(code, 0, errors);
});

Deno.test("a program without any permission answers pings in its own thread", async () => {
  const program = ANSWERS_PINGS.replace("CONFINED", "false");
  const { code, lines, errors } = await runImporter(program, {});
  equal(code, 0, errors);
  deepEqual(lines, ["answered"]);
});

Deno.test("a program that may run Deno has its services in processes, and needs nothing unstable", async () => {
  const program = ANSWERS_PINGS.replace("CONFINED", '"process"')
    .replace(
      '"answered"',
      "(await system.snapshot()).services.map(({ place }) => place).join()",
    );
  const flags = ["--allow-run=deno"];
  const { code, lines, errors } = await runImporter(program, { flags });
  equal(code, 0, errors);
  deepEqual(lines, ["process,process,process"]);
});

const HEARS_NO = `
import { boot, defaultManifest } from MODULE;
try {
  await boot(defaultManifest(), { confined: true });
} catch (error) {
  console.log(error.message);
}
console.log("still alive");
`;

for (const flags of [[], ["--allow-all"]]) {
  const how = flags.length === 0 ? "without permissions" : "with all of them";
  Deno.test(`a program ${how} that may not confine workers is told so, and lives`, async () => {
    const { code, lines, errors } = await runImporter(HEARS_NO, { flags });
    equal(code, 0, errors);
    equal(lines.length, 2);
    match(lines[0]!, /add "unstable": \["worker-options"\] to its deno\.json/);
    equal(lines[1], "still alive");
  });
}

Deno.test("a program that may confine workers does, by its deno.json or by a flag", async () => {
  const program = ANSWERS_PINGS.replace("CONFINED", "true");
  const read = "--allow-read"; // of the workers' modules
  for (
    const options of [
      { unstable: ["kv", "worker-options"], flags: [read] },
      { flags: [read, "--unstable-worker-options"] },
    ]
  ) {
    const { code, lines, errors } = await runImporter(program, options);
    equal(code, 0, errors);
    deepEqual(lines, ["answered"]);
  }
});

/** Echoes what comes to ports from 1024 on, which on the emulated wire is the peer's noise. */
const COUNTS = `
import type { ServiceFactory } from MODULE;
export default (({ filter, wire }) => ({
  receives: ({ address }) =>
    filter.ipv4().dst(wire.formatIpv4(address)).udp().dstPort(1024, 65535).grant,
  sends: ({ address, mac }) =>
    filter.ethernet().src(wire.formatMac(mac)).ipv4().src(wire.formatIpv4(address)).udp().srcPort(1024, 65535).grant,
  make: () => {
    let seen = 0;
    return {
      wakeAt: Infinity,
      wake() {},
      receive: () => (seen++, "handled"),
      counters: () => ({ seen, ambient: Number("BroadcastChannel" in globalThis) }),
    };
  },
})) satisfies ServiceFactory;
`;

const RUNS_ONE = `
import { boot, defaultManifest, DEFAULT_MANIFEST } from MODULE;
const manifest = defaultManifest({
  services: {
    ...DEFAULT_MANIFEST.services,
    mine: { core: "module", path: "./mine.ts", receives: "udp dst portrange 1024-65535" },
  },
});
let system;
try {
  system = await boot(manifest, OPTIONS);
} catch (error) {
  console.log(error.name, error.message);
  Deno.exit(3);
}
let mine;
do {
  await new Promise((resolve) => setTimeout(resolve, 20));
  mine = (await system.snapshot()).services.find(({ name }) => name === "mine");
} while (!(mine.counters.seen > 3));
await system.stop();
console.log("ambient", mine.counters.ambient);
`;

Deno.test("a program gives a service of its own a confined worker, from its file", async () => {
  const program = RUNS_ONE.replace("OPTIONS", "{ confined: true }");
  const { code, lines, errors } = await runImporter(program, {
    unstable: ["worker-options"],
    flags: ["--allow-read"],
    files: { "mine.ts": COUNTS },
  });
  equal(code, 0, errors + lines.join());
  deepEqual(lines, ["ambient 0"]);
});

Deno.test("a program gives a service of its own a process, from its file", async () => {
  const program = RUNS_ONE.replace("OPTIONS", '{ confined: "process" }');
  const { code, lines, errors } = await runImporter(program, {
    flags: ["--allow-read", "--allow-run=deno"],
    files: { "mine.ts": COUNTS },
  });
  equal(code, 0, errors + lines.join());
  deepEqual(lines, ["ambient 0"]);
});

Deno.test("a program without any permission runs the same service in its own thread, as its own code", async () => {
  const program = `import module from "./mine.ts";\n` + RUNS_ONE
    .replace("OPTIONS", "{ confined: false, modules: { mine: module } }");
  const { code, lines, errors } = await runImporter(program, {
    files: { "mine.ts": COUNTS },
  });
  equal(code, 0, errors + lines.join());
  deepEqual(lines, ["ambient 1"]);
});

for (
  const [what, options, says, flags] of [
    [
      "unconfined by its path",
      "{ confined: false }",
      /^Error boot: service mine is a module, and such run confined; .*modules: \{ "mine": … \}/,
      ["--allow-read"],
    ],
    [
      "confined, of code in memory",
      "{ confined: true, modules: {} }",
      /^Error boot: .*modules.* confined: false/,
      ["--allow-read", "--unstable-worker-options"],
    ],
    [
      "in a process, of code in memory",
      '{ confined: "process", modules: { mine: () => undefined } }',
      /^Error boot: service mine: modules are functions, which no process can be sent/,
      ["--allow-read", "--allow-run=deno"],
    ],
    [
      "in a process, and may run none",
      '{ confined: "process" }',
      /^Error boot: service arp: a NIC of kind emulated starts no process, .* run it with --allow-run=/,
      ["--allow-read"],
    ],
    [
      "where it may not read it",
      "{ confined: true }",
      /^ModuleError \.\/mine\.ts: cannot read it \(Requires read access/,
      ["--unstable-worker-options"],
    ],
    [
      "where workers cannot be confined",
      "{ confined: true }",
      /^Error boot: "confined" needs workers/,
      ["--allow-read"],
    ],
  ] as const
) {
  Deno.test(`a program that would run a service ${what} is told what to do`, async () => {
    const program = RUNS_ONE.replace("OPTIONS", options);
    const { code, lines } = await runImporter(program, {
      flags: [...flags],
      files: { "mine.ts": COUNTS },
    });
    equal(code, 3);
    match(lines[0]!, says);
  });
}

Deno.test("a program that loads no service needs no compiler among its imports", async () => {
  const { "typescript": _, ...imports } = config.imports;
  const program = ANSWERS_PINGS.replace("CONFINED", "false");
  const { code, lines, errors } = await runImporter(program, { imports });
  equal(code, 0, errors);
  deepEqual(lines, ["answered"]);
});
