/**
 * A NIC over all its lives: starts its driver service and filter service again
 * when one of them has crashed, or when its interface is to be waited for.
 *
 * ```
 *            supervise()         a crash               after a delay
 *  starting ────────────► running ────────► restarting ─────┐
 *     │                    ▲ │ │                ▲           │
 *     │                    │ │ │ its interface  │ a crash   │
 *     │                    │ │ │ is removed     │           │
 *     │                    │ │ └────► awaited ──┤           │
 *     │                    │ │                  │           │
 *     │                    └─┼── a new life is open ◄───────┘
 *     │ a crash              │ a crash too many
 *     └──────────► failed ◄──┘
 *
 *  any ── stop() ──► stopped
 * ```
 *
 * While it is awaited, the next life starts at once and opens the interface
 * whenever that is back.
 */

import { given } from "../../../caps/kernel/given.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import type { DriverCounts } from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { FilterReport } from "../../filter/service/messages.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import type { Threads } from "../../runtime/thread.ts";
import { DriverTotals } from "../driver/totals.ts";
import { oneLine } from "../one_line.ts";
import type { Parts } from "../parts.ts";
import { Restarts } from "../restarts.ts";
import type { SystemSnapshot } from "../snapshot.ts";
import { PortNumbers } from "./connector.ts";
import { KeptMemories } from "./kept_memories.ts";
import { NicLife } from "./nic_life.ts";

/** Restarts within a minute. */
const RESTARTS_MAX = 5;

/** What the NIC does now; the life is the one that runs, or was last begun. */
type NicState =
  | { readonly kind: "starting" | "running"; readonly life: NicLife }
  | {
    readonly kind: "restarting";
    readonly life: NicLife;
    readonly timer: ReturnType<typeof setTimeout>;
  }
  | { readonly kind: "awaited" | "failed"; readonly life: NicLife }
  /** `was` is what it did when it was stopped. */
  | {
    readonly kind: "stopped";
    readonly life: NicLife;
    readonly was: SystemSnapshot["nic"]["state"];
  };

/** What a supervised NIC is made of, and who hears of it. */
export interface NicSupervisorOptions {
  readonly manifest: Manifest;
  readonly parts: Parts;
  readonly confined: boolean;
  /** What starts its parts now. */
  readonly threads: () => Threads;
  /** Closes what a driver that died in its worker had of the kernel. */
  readonly release: (resources: SharedArrayBuffer) => Promise<void>;
  /** A holder was cut off for what it sent or asked. */
  readonly onCutOff: (port: PortId, refusals: Counts) => void;
  /** A life has ended, and all capabilities with it. */
  readonly onUnplugged: () => void;
  /** A new life is open: holders can be connected. */
  readonly onPlugged: (life: NicLife) => Promise<void>;
  /** The NIC has failed and is started again after `delayMs`; Infinity for one that waits for its interface. */
  readonly onRestart: (failure: string, delayMs: number) => void;
  /** Nothing will ever arrive again; `warning` says what was wrong with that, if anything. */
  readonly onEnded: (warning: string | undefined) => void;
  /** What a person should know of the NIC, in one line. */
  readonly onNotice: (text: string) => void;
  /** The NIC has failed for good. */
  readonly onFailed: (failure: string) => void;
}

/** Runs one NIC of a system. */
export class NicSupervisor {
  readonly #options: NicSupervisorOptions;
  readonly #ports = new PortNumbers();
  readonly #totals = new DriverTotals();
  readonly #restarts = new Restarts(RESTARTS_MAX);
  readonly #memories = new KeptMemories();
  #state: NicState;
  #failure: string | undefined;
  /** Whether its interface was removed once: from then on it is waited for. */
  #waits = false;

  /** Nothing is opened before {@link start}. */
  constructor(options: NicSupervisorOptions) {
    this.#options = options;
    this.#state = { kind: "starting", life: this.#makeLife() };
  }

  /** The life that runs, or was last begun. */
  get life(): NicLife {
    return this.#state.life;
  }

  /** Whether holders can be connected. */
  get runs(): boolean {
    return this.#state.kind === "starting" || this.#state.kind === "running";
  }

  /** What a snapshot shows of it. */
  get snapshot(): Pick<
    SystemSnapshot["nic"],
    "state" | "restarts" | "failure"
  > {
    return {
      state: shown(this.#state),
      restarts: this.#restarts.count,
      ...given({ failure: this.#failure }),
    };
  }

  /**
   * Opens the NIC for the first time; resolves when holders can be connected.
   * @throws when that fails, in one line.
   */
  async start(): Promise<NicLife> {
    await this.life.start();
    await this.counts();
    return this.life;
  }

  /** From now on a NIC that crashes is started again. */
  supervise(): void {
    if (this.#state.kind !== "starting") return;
    this.#state = { kind: "running", life: this.life };
  }

  /** The driver's counts, or those before it crashed. */
  async counts(): Promise<DriverCounts> {
    const { last } = this.#totals;
    if (!this.runs && last !== undefined) return last;
    try {
      return this.#totals.see(await this.life.driver.counts());
    } catch (error) {
      if (last === undefined || !between(this.#state)) throw error;
      return this.#totals.last!;
    }
  }

  /** The live capabilities in words and what holders were refused; none of them while the NIC does not run. */
  async describe(): Promise<
    Pick<
      Extract<FilterReport, { kind: "described" }>,
      "capabilities" | "refusals"
    >
  > {
    const nothing = { capabilities: [], refusals: [] };
    // After stop() the filter service answers until close().
    if (shown(this.#state) !== "running") return nothing;
    try {
      return await this.life.filter.describe();
    } catch (error) {
      if (between(this.#state)) return nothing;
      throw error;
    }
  }

  /** Revokes what a holder had, and disconnects it. Resolves when that is in force. */
  async disown(port: PortId): Promise<void> {
    if (!this.runs) return;
    const { life } = this;
    life.driver.detach(port);
    await life.filter.detach(port).catch((error) => life.crash(error.message));
  }

  /** Ends the NIC for good: something failed that the system cannot do without. */
  fail(failure: string): void {
    if (this.#state.kind === "failed" || this.#state.kind === "stopped") return;
    const { life } = this;
    this.#cancel();
    this.#state = { kind: "failed", life };
    this.#failure = failure;
    life.crash(failure);
    this.#options.onFailed(failure);
  }

  /**
   * Closes the NIC, `before` that its driver runs still. Resolves with the last
   * counts.
   */
  async stop(before: () => Promise<void>): Promise<DriverCounts> {
    const { life } = this;
    const { last } = this.#totals;
    const was = shown(this.#state);
    this.#cancel();
    this.#state = { kind: "stopped", life, was };
    if (was === "restarting" && last !== undefined) return last;
    try {
      await before();
      const counts = await life.driver.stop();
      this.#memories.keep(life.memory, counts);
      return this.#totals.see(counts);
    } catch (error) {
      this.#memories.keep(life.memory, undefined);
      throw error;
    }
  }

  /** Ends the life that is left, whatever state it is in. */
  async close(): Promise<void> {
    this.#cancel();
    const { life } = this;
    if (this.#state.kind !== "stopped") {
      this.#state = { kind: "stopped", life, was: shown(this.#state) };
    }
    await life.close();
  }

  #makeLife(): NicLife {
    const { manifest, parts, threads, confined, release, onCutOff, onNotice } =
      this.#options;
    const life: NicLife = new NicLife({
      manifest,
      parts,
      threads: threads(),
      confined,
      awaited: this.#waits,
      ports: this.#ports,
      release,
      events: {
        onCutOff,
        onEnded: (warning) => this.#ended(life, warning),
        onNotice,
        onCrashed: (message, mayRunOn) =>
          this.#crashed(life, oneLine(message), mayRunOn),
      },
    });
    return life;
  }

  /** Handles the failure of a driver or filter service. */
  #crashed(life: NicLife, failure: string, mayRunOn: boolean): void {
    const { kind } = this.#state;
    if (kind === "stopped") return;
    if (kind === "starting") return this.fail(failure);
    const hopeless = kind === "failed" || mayRunOn ||
      life.nic.restarts === false || this.#memories.full;
    const closed = this.#leave(life);
    if (kind === "failed") return;
    const delayMs = hopeless
      ? undefined
      : this.#restarts.failed(performance.now());
    if (delayMs === undefined) return this.fail(failure);
    this.#failure = failure;
    const timer = setTimeout(
      () => void closed.then(() => this.#restart()),
      delayMs,
    );
    this.#state = { kind: "restarting", life, timer };
    this.#options.onRestart(failure, delayMs);
  }

  /** Nothing will ever arrive again, unless the interface is to be waited for. */
  #ended(life: NicLife, warning: string | undefined): void {
    if (!this.runs) return;
    const recovers = this.#options.manifest.recover === true &&
      warning !== undefined && this.#state.kind === "running" &&
      !this.#memories.full;
    if (!recovers) return this.#options.onEnded(warning);
    this.#waits = true;
    this.#failure = warning;
    this.#state = { kind: "awaited", life };
    const closed = this.#leave(life);
    this.#options.onRestart(warning, Infinity);
    void closed.then(() => this.#restart());
  }

  /** Ends a life. Resolves when the NIC is closed and can be opened again. */
  async #leave(life: NicLife): Promise<void> {
    const closed = life.close();
    this.#options.onUnplugged();
    const last = await closed;
    if (last !== undefined) this.#totals.see(last);
    this.#totals.crashed();
    if (life.nic.mapped === true) this.#memories.keep(life.memory, last);
  }

  /** Begins a new life, on which all is established again. */
  async #restart(): Promise<void> {
    if (!between(this.#state)) return;
    const life = this.#makeLife();
    this.#state = { ...this.#state, life };
    try {
      await life.start();
      if (!between(this.#state)) return;
      this.#state = { kind: "running", life };
      await this.#options.onPlugged(life);
      this.#restarts.ran(performance.now());
    } catch (error) {
      life.crash(error instanceof Error ? error.message : String(error));
    }
  }

  #cancel(): void {
    if (this.#state.kind === "restarting") clearTimeout(this.#state.timer);
  }
}

/** Whether one life has ended and the next is not open yet. */
function between(
  state: NicState,
): state is Extract<NicState, { kind: "restarting" | "awaited" }> {
  return state.kind === "restarting" || state.kind === "awaited";
}

function shown(state: NicState): SystemSnapshot["nic"]["state"] {
  switch (state.kind) {
    case "starting":
    case "running":
      return "running";
    case "restarting":
    case "awaited":
      return "restarting";
    case "failed":
      return "failed";
    case "stopped":
      return state.was;
  }
}
