/** A third party's service module, from its file to something that a worker is sent. */

import { compileModule } from "./compile.ts";
import { ModuleError } from "./module_error.ts";

/** The most bytes of a module. */
export const MODULE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Reads and checks the module at `path`, which may be a `file:` URL.
 *
 * @returns its code as a `data:` URL, which a worker without permissions may
 * import.
 * @throws {ModuleError}
 */
export async function loadModule(path: string): Promise<string> {
  const code = await compileModule(await read(path), path);
  return `data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`;
}

async function read(path: string): Promise<string> {
  const place = path.startsWith("file:") ? new URL(path) : path;
  let bytes: Uint8Array;
  try {
    const { size } = await Deno.stat(place);
    if (size > MODULE_BYTES_MAX) throw tooLarge(path, size);
    bytes = await Deno.readFile(place);
  } catch (error) {
    if (error instanceof ModuleError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModuleError(path, [], `cannot read it (${reason})`);
  }
  if (bytes.length > MODULE_BYTES_MAX) throw tooLarge(path, bytes.length);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ModuleError(path, [], "it is not text in UTF-8");
  }
}

function tooLarge(path: string, size: number): ModuleError {
  return new ModuleError(
    path,
    [],
    `it has ${size} bytes; expected at most ${MODULE_BYTES_MAX}`,
  );
}
