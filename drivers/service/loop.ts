/** Turns the driver service's loop: without waiting while there is work, waiting at the NIC when there is none. */

import { setImmediate } from "node:timers";
import { Spin } from "../../caps/port/spin.ts";
import type { DriverService } from "./service.ts";

/** How long a busy loop keeps its thread from timers and events. */
const BUSY_MS = 1;

/** How long a loop that has had work waits for more on its own thread: a wake-up less, and no event meanwhile. */
const HERE_MS = 1;

/** How long an idle loop waits at the most. */
const IDLE_MS = 1000;

/** How long a NIC that has ended waits for holders that do not answer. */
const QUIET_MS = 500;

/** How long a service that is stopped waits for what holders have still. */
const FINISH_MS = 200;

/** How a driver service is run. */
export interface RunOptions {
  /**
   * Ends the loop, once what was delivered before is answered and sent, or a
   * moment later. The service is still the caller's to dispose of.
   */
  readonly signal: AbortSignal;
  /** Called once when nothing will ever arrive again and all that did was handled. */
  readonly onEnded: () => void;
  /** Told what a person should know of the NIC, in one line; nobody is by default. */
  readonly onNotice?: (text: string) => void;
  /**
   * Whether holders live on this same thread: then every turn lets them have
   * it. In a worker of its own the loop need not.
   */
  readonly sameThread: boolean;
  /** Whether it looks for work for a while before it sleeps; not if not given. */
  readonly spin?: boolean;
}

/** Runs `service` until it is aborted. */
export async function runDriverService(
  service: DriverService,
  options: RunOptions,
): Promise<void> {
  const { signal, sameThread } = options;
  signal.addEventListener("abort", () => service.wake(), { once: true });
  let yieldAt = performance.now() + BUSY_MS;
  let hereUntil = 0;
  let endedAt: number | undefined;
  let told = false;
  // Holders on this thread would wait for as long as it spins.
  const spin = options.spin && !sameThread ? new Spin() : undefined;
  while (!signal.aborted) {
    const done = service.turn();
    for (const text of service.takeNotices()) options.onNotice?.(text);
    if (done > 0) spin?.found(performance.now());
    else if (spin?.again(performance.now())) {
      await oneEventLoopTurn();
      continue;
    }
    if (done > 0) hereUntil = performance.now() + HERE_MS;
    else if (
      !sameThread && performance.now() < hereUntil &&
      service.waitHere(HERE_MS)
    ) {
      if (performance.now() > yieldAt) {
        await oneEventLoopTurn();
        yieldAt = performance.now() + BUSY_MS;
      }
      continue;
    }
    if (done === 0) {
      if (service.ended && !told) {
        endedAt ??= performance.now();
        told = service.quiet || performance.now() - endedAt > QUIET_MS;
        if (told) options.onEnded();
      }
      await service.wait(service.ended && !told ? 1 : IDLE_MS);
      yieldAt = performance.now() + BUSY_MS;
    } else if (sameThread || performance.now() > yieldAt) {
      await oneEventLoopTurn();
      yieldAt = performance.now() + BUSY_MS;
    }
  }
  await finish(service);
}

/** Nothing new comes in; what is under way comes to its end, if its holders let it. */
async function finish(service: DriverService): Promise<void> {
  const untilMs = performance.now() + FINISH_MS;
  service.stopReceiving();
  while (!service.quiet && performance.now() < untilMs) {
    if (service.turn() === 0) await service.wait(1);
    await oneEventLoopTurn();
  }
}

/** A zero timeout would cost 2 ms, this costs 5 µs. */
function oneEventLoopTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
