/** One run with a service that may mean ill: what came of it, and how it is made. */

import type {
  ServiceSnapshot,
  SystemSnapshot,
} from "../../services/system/snapshot.ts";
import type { Behaviour } from "./system.ts";

/** What run.ts prints. */
export interface Ran {
  /** Packets a second that the victims were delivered, together. */
  readonly perSecond: number;
  /** Packets that were sent to them meanwhile, together. */
  readonly offered: number;
  /** Processor time of the whole process, user and system. */
  readonly cpuMsPerSecond: number;
  /** MiB. */
  readonly rssBefore: number;
  /** MiB. */
  readonly rssPeak: number;
  /** Why services failed. */
  readonly failures: readonly string[];
  /** Why the system is at an end, where it is. */
  readonly ended?: string;
  readonly hostile: ServiceSnapshot;
  readonly victims: readonly ServiceSnapshot[];
  readonly pages: SystemSnapshot["pages"];
  readonly peer: NonNullable<SystemSnapshot["peer"]>;
}

/** Runs a system with a service that behaves so; not for longer than `until` the service has failed, or the system has ended. */
export async function runHostile(
  behaviour: Behaviour,
  load: { readonly perSecond: number; readonly durationMs: number },
  until?: "failed" | "ended",
): Promise<Ran> {
  const script = new URL("./run.ts", import.meta.url).pathname;
  const { perSecond, durationMs } = load;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", script, behaviour],
      ...[perSecond, durationMs].map(String),
      ...(until === undefined ? [] : [until]),
    ],
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Error(`hostile ${behaviour}: ${new TextDecoder().decode(stderr)}`);
}
