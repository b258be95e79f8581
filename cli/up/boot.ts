/** What the command line needs of a system: to start it, watch it, stop it. */

import type { Manifest } from "../../services/manifest/manifest.ts";
import type { RunOptions, System } from "../../services/system/system.ts";

/** A system as the command line uses it. */
export type UpSystem = Pick<System, "snapshot" | "picture" | "ended" | "stop">;

/** Starts a system. */
export type Boot = (
  manifest: Manifest,
  options: Required<
    Pick<RunOptions, "confined" | "onRestart" | "onServiceFailed" | "onNotice">
  >,
) => Promise<UpSystem>;
