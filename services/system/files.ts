/** The files that a system reads and writes. */

import type { NamedFile } from "../../drivers/capture/named_file.ts";
import { logFilesOf } from "../manifest/interposer.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { NICS } from "../manifest/nic/nics.ts";

/** What names the files of a manifest that its own fields name. */
interface Names {
  readonly nic: string;
  readonly write: string;
}

/** The files of a manifest, those that are read first. */
export function filesOf(
  { nic, write, services }: Pick<Manifest, "nic" | "write" | "services">,
  names: Names = { nic: "nic", write: "write" },
): NamedFile[] {
  const files: NamedFile[] = [];
  const add = (
    way: NamedFile["way"],
    name: string,
    path: string | undefined,
  ) => path === undefined || files.push({ name, path, way });
  add("read", names.nic, NICS.kindOf(nic).reads?.(nic).path);
  for (const [name, service] of Object.entries(services)) {
    if ("path" in service) add("read", `service ${name}`, service.path);
  }
  add("written", names.write, write);
  for (const { path, file } of logFilesOf(services)) {
    add("written", `log of ${path[0]}`, file);
  }
  return files;
}
