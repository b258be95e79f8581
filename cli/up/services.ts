/** Services of the user's own on the command line: `--service FILE=WHAT`. */

import type { ModuleManifestInput } from "../../services/manifest/manifest.ts";
import { quote, UsageError } from "../command/options.ts";

/** Such services, by the names that they get from their files. */
export type AddedServices = ReadonlyMap<string, ModuleManifestInput>;

/**
 * Reads what `--service` was given.
 * @throws {UsageError}
 */
export function readServices(values: readonly string[]): AddedServices {
  const added = new Map<string, ModuleManifestInput>();
  for (const value of values) {
    const [, path = "", receives = ""] = /^([^=]*)=?([^]*)$/.exec(value) ?? [];
    if (path === "" || receives.trim() === "") {
      throw new UsageError(
        `--service ${
          quote(value)
        }: expected a file and what the service may receive, such as './mine.ts=udp dst port 53'`,
      );
    }
    const name = nameOf(path);
    if (added.has(name)) {
      throw new UsageError(
        `--service ${quote(path)}: another one is named ${name}; rename a file`,
      );
    }
    added.set(name, { core: "module", path, receives });
  }
  return added;
}

/**
 * A manifest, as it is written, with these services too.
 * @throws {UsageError} when it has one of the same name.
 */
export function addServices(
  manifest: Readonly<Record<string, unknown>>,
  added: AddedServices,
): Readonly<Record<string, unknown>> {
  const { services } = manifest;
  if (added.size === 0) return manifest;
  if (typeof services !== "object" || services === null) return manifest;
  for (const [name, { path }] of added) {
    if (!Object.hasOwn(services, name)) continue;
    throw new UsageError(
      `--service ${
        quote(path)
      }: the manifest has a service ${name} already; rename the file`,
    );
  }
  return {
    ...manifest,
    services: { ...services, ...Object.fromEntries(added) },
  };
}

/** `./my_time.v2.ts` is `my-time-v2`. */
function nameOf(path: string): string {
  const file = path.split("/").at(-1)!.replace(/\.[cm]?[jt]s$/, "");
  const name = file.toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "").slice(0, 32);
  return name === "" ? "service" : name;
}
