import { match, strictEqual } from "node:assert/strict";
import { testWith } from "../needs.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const FAKE = new URL("./fake_main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

function command(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--cached-only",
      `--config=${CONFIG}`,
      "--allow-env=SALLYPORT_DEBUG,FAKE_HANGS,FAKE_TELLS",
      "--allow-read",
      script,
      ...args,
    ],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(script: string, args: readonly string[]) {
  const { code, stdout, stderr } = await command(script, args).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Reads `stream` until what it gave matches, or it ends. */
async function readUntil(
  stream: ReadableStream<Uint8Array>,
  pattern: RegExp,
): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream.values({ preventCancel: true })) {
    text += decoder.decode(chunk, { stream: true });
    if (pattern.test(text)) break;
  }
  return text;
}

/** Reads what is left of `stream`. */
function readRest(stream: ReadableStream<Uint8Array>): Promise<string> {
  return readUntil(stream, /(?!)/);
}

Deno.test("the command line refuses what it does not understand with one line, status 2 and no stack", async () => {
  const { code, out, err } = await run(MAIN, ["up", "--nick", "emulated"]);
  strictEqual(err, 'sallyport: unknown option "--nick"; did you mean --nic?\n');
  strictEqual(out, "");
  strictEqual(code, 2);
});

Deno.test("the command line fails with one line, status 1 and no stack when a file is missing", async () => {
  const { code, out, err } = await run(MAIN, [
    "up",
    "--manifest",
    "/nonexistent/manifest.json",
  ]);
  match(
    err,
    /^sallyport: --manifest "\/nonexistent\/manifest\.json": cannot read it \(No such file.*\)\n$/,
  );
  strictEqual(out, "");
  strictEqual(code, 1);
});

Deno.test("the command line prints its version and its help on standard output", async () => {
  const version = await run(MAIN, ["--version"]);
  match(version.out, /^sallyport \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+\)\n$/);
  strictEqual(version.code, 0);
  const help = await run(MAIN, ["up", "--help"]);
  match(help.out, /^usage: sallyport up/);
  strictEqual(help.err, "");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  testWith(
    ["linux"],
    `${signal} stops a process cleanly, with the summary`,
    async () => {
      const child = command(FAKE, ["up"]).spawn();
      const before = await readUntil(child.stdout, /up on emulated/);
      child.kill(signal);
      const [after, err, { code }] = await Promise.all([
        readRest(child.stdout),
        readRest(child.stderr),
        child.status,
      ]);
      match(before + after, /\nran 12\.0 s .*\n(.*\n)*peer: 120 pings sent/);
      strictEqual(err, "");
      strictEqual(code, 0);
    },
  );
}

testWith(
  ["linux"],
  "SIGINT leaves standard output one JSON object with --json",
  async () => {
    const child = command(FAKE, ["up", "--json"], { FAKE_TELLS: "1" }).spawn();
    await readUntil(child.stderr, /booted/);
    child.kill("SIGINT");
    const [out, , { code }] = await Promise.all([
      readRest(child.stdout),
      readRest(child.stderr),
      child.status,
    ]);
    strictEqual(JSON.parse(out).nic.name, "emulated");
    strictEqual(code, 0);
  },
);

testWith(
  ["linux"],
  "a second SIGINT ends a process at once that does not stop",
  async () => {
    const child = command(FAKE, ["up"], { FAKE_HANGS: "1" }).spawn();
    await readUntil(child.stdout, /up on emulated/);
    child.kill("SIGINT");
    await readUntil(child.stderr, /stopping/);
    const pressing = setInterval(() => child.kill("SIGINT"), 200);
    try {
      const [, , { code }] = await Promise.all([
        readRest(child.stdout),
        readRest(child.stderr),
        child.status,
      ]);
      strictEqual(code, 130);
    } finally {
      clearInterval(pressing);
    }
  },
);

testWith(
  ["linux"],
  "a process whose reader goes away stops by itself, fine and silent",
  async () => {
    const child = command(FAKE, ["up"]).spawn();
    await readUntil(child.stdout, /up on emulated/);
    await child.stdout.cancel();
    const [err, { code }] = await Promise.all([
      readRest(child.stderr),
      child.status,
    ]);
    strictEqual(err, "");
    strictEqual(code, 0);
  },
);
