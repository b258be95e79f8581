/** The program that runs a service in a process of its own: the runtime, with nothing allowed. */

import type { ProcessCommand } from "../../../caps/driver/messages.ts";

const MIB = 1 << 20;

/** Address space that V8 takes for code, whether it has any: RLIMIT_DATA counts that too (Deno 2.9.6, measured). */
const CODE_RANGE_BYTES = 544 * MIB;

/** What a service's heap may have, as that of a worker (services/runtime/heap_limit.ts). */
const HEAP_MIB_MAX = 256;

/** What a service may have besides: buffers, Wasm memories. */
const BUFFERS_BYTES_MAX = 256 * MIB;

/** No permission at all, nothing from a network or a registry, no code from text. */
const FLAGS = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-check",
  "--no-remote",
  "--cached-only",
  "--deny-import",
  `--v8-flags=--disallow-code-generation-from-strings,--max-old-space-size=${HEAP_MIB_MAX}`,
];

/** Where the code is once it is one file: the fourth descriptor. */
const ONE_FILE = ["--no-config", "--no-npm", "--ext=js", "/proc/self/fd/3"];

/** Puts the code of a module together, on its standard output. */
const BUNDLE = ["bundle", "--quiet", "--platform=deno", "--no-check"];

/** The process of service `name`, whose code is `module`, which is given `argument`. */
export function processCommand(
  name: string,
  module: URL,
  argument: string,
): ProcessCommand {
  const deno = Deno.execPath();
  return {
    name,
    bundle: [deno, ...BUNDLE, module.href],
    command: [deno, ...FLAGS, ...ONE_FILE, argument],
    unbundled: [deno, ...FLAGS, module.href, argument],
    environment: ["NO_COLOR=1", ...cacheOf()],
    dataBytesMax: CODE_RANGE_BYTES + HEAP_MIB_MAX * MIB + BUFFERS_BYTES_MAX,
  };
}

/** Where the runtime keeps what it has compiled, where that is not the usual place and may be asked. */
function cacheOf(): string[] {
  try {
    const folder = Deno.env.get("DENO_DIR");
    return folder === undefined ? [] : [`DENO_DIR=${folder}`];
  } catch {
    return [];
  }
}
