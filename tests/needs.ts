/**
 * Tests that need something of the machine say so here. What is missing makes
 * the test ignored with its reason printed, or, with SALLYPORT_NO_SKIP=1, a
 * failure: nothing is skipped in silence.
 */

/** Something that a test needs. */
export type Need =
  | "linux"
  | "root"
  | "compiler"
  | `tool:${string}`
  | `library:${string}`;

const noSkip = Deno.env.get("SALLYPORT_NO_SKIP") === "1";

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
      : "needs a C compiler (gcc)";
  }
  const name = need.slice(need.indexOf(":") + 1);
  if (need.startsWith("tool:")) {
    return hasProgram(name) ? undefined : `needs ${name}`;
  }
  return hasLibrary(name) ? undefined : `needs ${name}`;
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
