/**
 * The system: it decides, with the folder of its name, who is connected to whom,
 * and what each part may do.
 *
 * ```
 *                  ┌───────── system ─────────┐
 *         control  │             │            │ control
 *                  ▼             ▼            ▼
 *   driver ◄──orders──► filter ◄──requests── service
 *      ▲                                      ▲
 *      └────────────── data ──────────────────┘
 * ```
 *
 * It makes packet memory and holds it for as long as it runs, holds the NIC's
 * root capability, derives one envelope from it for each service in the
 * manifest, and hands every part the ports that the manifest gives it, and
 * nothing else.
 */

import { describeSameFile } from "../../drivers/capture/named_file.ts";
import { requireConfinement } from "../runtime/require_confinement.ts";
import type { Protocol } from "../core/protocol.ts";
import { startFilterService } from "../filter/service/start.ts";
import { CORES } from "../manifest/cores.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { startService } from "../core/start.ts";
import { moduleParts } from "./supervision/module_part.ts";
import { startPeer } from "./peer/start.ts";
import type { PlacedOptions, RunOptions, System } from "./system.ts";
import type { Parts } from "./parts.ts";
import { capturing } from "./nic/capturing.ts";
import { filesOf } from "./files.ts";
import { nicOf } from "./nic/named_nic.ts";
import { type PluggedNic, pluggedNic } from "./nic/plugged_nic.ts";
import { inProcesses } from "./process/in_processes.ts";
import { processPart } from "./process/part.ts";
import { requireProcesses } from "./process/require_processes.ts";
import { RunningSystem } from "./running.ts";

export type { PluggedNic };
export type {
  Ending,
  OpenOptions,
  PictureOptions,
  Restart,
  RunOptions as BootOptions,
  System,
} from "./system.ts";

/**
 * Starts the system that `manifest` describes. Resolves when packets flow.
 *
 * With `confined: "process"` each service is in a process of its own:
 *
 * ```ts
 * import { boot, defaultManifest } from "@sallyport/sallyport";
 *
 * const system = await boot(defaultManifest(), { confined: "process" });
 * ```
 *
 * @throws {ModuleError} when a third party's service is not accepted; nothing
 * was started.
 * @throws when two files that the manifest names are one, by whatever names and
 * links, and one of them is written, when the NIC cannot be opened, a service's filter is refused, or
 * workers cannot be confined and are to be, with what happened and what to do in
 * one line; nothing is left behind.
 */
export async function boot(
  manifest: Manifest,
  options: RunOptions,
): Promise<System> {
  if (options.confined === "process") {
    return await start(inProcesses(manifest), {
      ...options,
      confined: false,
      workers: false,
    });
  }
  if (options.confined) requireConfinement();
  return await start(manifest, { ...options, confined: options.confined });
}

async function start(
  manifest: Manifest,
  options: PlacedOptions,
): Promise<System> {
  const same = describeSameFile(filesOf(manifest));
  if (same !== undefined) throw new Error(`boot: ${same}`);
  requireProcesses(manifest, { ownNic: options.nic !== undefined });
  const modules = await moduleParts(manifest, options);
  const { nic, confined } = options;
  const plug = nic === undefined
    ? {}
    : { nic: () => capturing(pluggedNic(nic, confined, manifest), manifest) };
  const parts = { ...PARTS, modules, ...plug };
  const system = new RunningSystem(manifest, parts, options);
  await system.start();
  return system;
}

/** The parts that {@link boot} puts together. */
export const PARTS: Parts = {
  filter: {
    worker: new URL("../filter/service/worker.ts", import.meta.url),
    permissions: "none",
    here: startFilterService,
  },
  peer: {
    worker: new URL("./peer/worker.ts", import.meta.url),
    permissions: "none",
    here: startPeer,
  },
  services: servicePartsOf(CORES),
  nic: nicOf,
};

/** The parts of services that run these protocols, by the core's name. */
export function servicePartsOf(
  protocols: readonly Protocol[],
): Parts["services"] {
  return Object.fromEntries(
    protocols.map(({ name, definition }) => [name, {
      definition,
      worker: new URL(`../${name}/worker.ts`, import.meta.url),
      permissions: "none",
      limited: true,
      process: processPart(name),
      here: (start, end) => void startService(definition, start, { end }),
    }]),
  );
}
