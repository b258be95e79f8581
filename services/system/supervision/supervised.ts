/** A service over all its lives. */

import { addCounts, type Counts } from "../../../caps/driver/accounts.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { ServiceNews } from "../../core/core.ts";
import type { Place } from "../../runtime/thread.ts";
import type {
  RestartPolicy,
  ServiceManifest,
} from "../../manifest/manifest.ts";
import type { ServiceSnapshot } from "../snapshot.ts";
import { Restarts } from "../restarts.ts";
import type { ServiceHost } from "./host.ts";

/**
 * Restarts after it stopped answering, in all. A worker that does not return to
 * its event loop cannot be ended (Deno 2.9.6: it runs on after `terminate()`), so
 * each of them may cost a core for good.
 */
const SILENT_RESTARTS_MAX = 2;

/** Ports of which one service is remembered to have had them: as many as a driver keeps sums of. */
const PORTS_MAX = 1024;

/** What a manifest says, as a number. */
function restartsMax(policy: RestartPolicy): number {
  if (policy === "always") return Infinity;
  if (policy === "never") return 0;
  return policy;
}

/** One service of a system, which is started anew when it fails. */
export class Supervised {
  readonly name: string;
  readonly manifest: ServiceManifest;
  readonly restarts: Restarts;
  /** Present life, or the last one. */
  host: ServiceHost | undefined;
  /** Why it failed last. */
  failure: string | undefined;
  /** Until it is started again; undefined when nothing waits. */
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether it is at an end for good. */
  over = false;
  /** Whether it was ended in the middle of something: a thread of its may go on. */
  mayRunOn = false;
  #silent = 0;
  /** What it was known by in all its lives, the last ones at least. */
  readonly ports: Set<PortId> = new Set();
  readonly #before: Record<string, number> = {};

  constructor(name: string, service: ServiceManifest) {
    this.name = name;
    this.manifest = service;
    this.restarts = new Restarts(restartsMax(service.restart));
  }

  /** Ends its life. Returns how long to wait before the next one; undefined for never. */
  failed({ wasCutOff, silent }: ServiceHost): number | undefined {
    if (silent) this.#silent++;
    this.mayRunOn ||= silent || wasCutOff;
    const hopeless = wasCutOff || this.#silent > SILENT_RESTARTS_MAX;
    return hopeless ? undefined : this.restarts.failed(performance.now());
  }

  /** What the driver and the filter service know it by now. */
  get port(): PortId | undefined {
    return this.host?.port;
  }

  /** Where its life now runs; undefined while none was started. */
  get place(): Place | undefined {
    return this.host?.place;
  }

  /** What it used of memory when it was asked last. */
  get memoryBytes(): number {
    return this.host?.memoryBytes ?? 0;
  }

  /** Has it say what it counted and what it uses. */
  async ask(): Promise<void> {
    await this.host?.ask();
  }

  /** Ends it for what it did; it is not started again. */
  cutOff(failure: string): void {
    this.host?.cutOff(failure);
  }

  /** Only a running one handles packets. */
  get state(): ServiceSnapshot["state"] {
    const state = this.host?.state ?? "starting";
    const ended = state === "failed" || state === "stopped";
    return ended && !this.over ? "restarting" : state;
  }

  /** What it counted, in all its lives. */
  get counters(): Counts {
    return addCounts([this.#before, this.host?.counters ?? {}]);
  }

  /** What was refused of the messages of its life now. */
  get refusals(): Counts {
    return this.host?.refusals ?? {};
  }

  /** State, as those who watch it are told; undefined when that is no news. */
  get news(): ServiceNews | undefined {
    const { name, state } = this;
    return state === "starting" || state === "stopped"
      ? undefined
      : { name, state };
  }

  /** Takes a port, to a NIC that may be another than before. */
  connected(port: PortId): void {
    this.ports.add(port);
    if (this.ports.size <= PORTS_MAX) return;
    const [oldest] = this.ports;
    this.ports.delete(oldest!);
  }

  /** Begins another life. */
  begin(host: ServiceHost): void {
    Object.assign(this.#before, this.counters);
    this.host = host;
  }
}
