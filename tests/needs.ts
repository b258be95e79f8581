/**
 * Tests that need something of the machine say so here. What is missing makes
 * the test ignored with its reason printed, or, with SALLYPORT_NO_SKIP=1, a
 * failure: nothing is skipped in silence. Programs, libraries and headers stand
 * in packages.json with the Debian packages that have them, and `.ci/run`
 * installs those.
 */

import packages from "./packages.json" with { type: "json" };

/** A program or library that packages.json knows. */
export type Listed = keyof typeof packages;

/** Something that a test needs. */
export type Need =
  | "linux"
  | "root"
  | "compiler"
  | "bundler"
  | `tool:${Listed}`
  | `library:${Listed}`;

/** Whether it was tried to put code together, and why that cannot be done. */
let bundling: { readonly why: string | undefined } | undefined;

const noSkip = Deno.env.get("SALLYPORT_NO_SKIP") === "1";

/** What was asked for in this process, whether it is there or not. */
const asked = new Set<string>();

/** Registers a test that runs only where all of `needs` are there. */
export function testWith(
  needs: readonly Need[],
  name: string,
  body: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = needs.map(whyMissing).filter((why) => why !== undefined);
  if (missing.length === 0) {
    Deno.test(name, body);
    return;
  }
  const reason = missing.join("; ");
  if (noSkip) {
    Deno.test(name, () => {
      throw new Error(
        `cannot run here: ${reason} (and SALLYPORT_NO_SKIP=1 forbids skipping)`,
      );
    });
    return;
  }
  console.log(`skipped: ${name}: ${reason}`);
  Deno.test({
    name: `${name} [skipped: ${reason}]`,
    ignore: missing.length > 0,
    fn: body,
  });
}

/** Why a need is not met, in words; undefined when it is. */
export function whyMissing(need: Need): string | undefined {
  if (need === "linux") {
    return Deno.build.os === "linux" ? undefined : "needs Linux";
  }
  if (need === "root") return Deno.uid() === 0 ? undefined : "needs root";
  if (need === "compiler") {
    return hasProgram("cc") || hasProgram("gcc")
      ? undefined
      : `needs a C compiler (${packageOf("cc")})`;
  }
  if (need === "bundler") return (bundling ??= { why: whyNotBundled() }).why;
  const name = need.slice(need.indexOf(":") + 1);
  const isThere = need.startsWith("tool:") ? hasProgram : hasLibrary;
  const from = packageOf(name);
  asked.add(name);
  return isThere(name) ? undefined : `needs ${name} (${from})`;
}

/**
 * Sees that a test may run `program`: this very Deno, or what was asked for by
 * a need before. A test that forgets to say what it needs fails here on every
 * machine, not only where the program is missing.
 */
export function checkProgram(program: string): void {
  if (program === Deno.execPath() || asked.has(program)) return;
  packageOf(program);
  throw new Error(
    `no test here says that it needs "tool:${program}", but one runs it`,
  );
}

/** The Debian package that has `name`. @throws where packages.json does not say. */
function packageOf(name: string): string {
  if (!Object.hasOwn(packages, name)) {
    throw new Error(`${name} is not in tests/packages.json`);
  }
  return packages[name as Listed].package;
}

/**
 * Tries `deno bundle`, which fetches a program of its own at first: from here,
 * where there is a network, and not from a namespace that has none.
 */
function whyNotBundled(): string | undefined {
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", new URL(import.meta.url).pathname],
    stdout: "null",
  }).outputSync();
  return success
    ? undefined
    : `needs deno bundle: ${new TextDecoder().decode(stderr)}`;
}

function hasProgram(name: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat(
    "/usr/sbin",
    "/sbin",
  );
  return folders.some((folder) => isFile(`${folder}/${name}`));
}

function hasLibrary(name: string): boolean {
  try {
    Deno.dlopen(name, {}).close();
    return true;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
