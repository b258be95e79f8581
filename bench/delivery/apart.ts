/**
 * A contestant of `deliver` in a worker of its own, as a driver service has one:
 * what others leave for the collector, and what the compiler learned from them,
 * is not its own.
 */

import type { DeliveryCase, DeliveryContestant } from "./contestant.ts";
import type { Way } from "./plain.ts";

/** The first message to a contestant's worker. */
export interface Contest {
  readonly what: DeliveryCase;
  readonly way: Way | "ours";
  /** Takes a {@link Turn} and answers it. */
  readonly control: MessagePort;
}

/** Packets to deliver, answered with nanoseconds a packet; none ends it. */
export interface Turn {
  readonly packets: number;
}

/** Starts one. */
export async function apart(
  what: DeliveryCase,
  way: Way | "ours",
): Promise<DeliveryContestant> {
  const worker = new Worker(
    new URL("./contestant_worker.ts", import.meta.url),
    { type: "module" },
  );
  const { port1, port2 } = new MessageChannel();
  const answer = () =>
    new Promise<number>((resolve, reject) => {
      port1.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
  const ask = (turn: Turn) => {
    port1.postMessage(turn);
    return answer();
  };
  worker.postMessage({ what, way, control: port2 } satisfies Contest, [port2]);
  await answer();
  return {
    run: (packets) => ask({ packets }),
    async end() {
      await ask({ packets: 0 });
      port1.close();
      worker.terminate();
    },
  };
}
