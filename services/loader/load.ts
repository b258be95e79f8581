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
  const bytes = await readBytes(path);
  if (bytes.length > MODULE_BYTES_MAX) throw tooLarge(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ModuleError(path, [], "it is not text in UTF-8");
  }
}

/** The file's bytes, one more than a module may have at most: a device says no size, and has no end. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const place = path.startsWith("file:") ? new URL(path) : path;
    // A pipe would keep whoever opens it waiting.
    if (!(await Deno.stat(place)).isFile) {
      throw new ModuleError(path, [], "it is no regular file");
    }
    using file = await Deno.open(place);
    const bytes = new Uint8Array(MODULE_BYTES_MAX + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof ModuleError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModuleError(path, [], `cannot read it (${reason})`);
  }
}

function tooLarge(path: string): ModuleError {
  return new ModuleError(
    path,
    [],
    `it is too large; expected at most ${MODULE_BYTES_MAX} bytes`,
  );
}
