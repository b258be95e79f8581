/** The references of `deliver`: what one would do with postMessage alone. */

import { receiveMessageOnPort } from "node:worker_threads";
import { fromMessagePort, type TakeNow } from "../../caps/port/port.ts";
import type { DeliveryCase, DeliveryContestant } from "./contestant.ts";

/** How packets are posted. */
export type Way =
  /** Each copied out of the buffer that it was received in, and cloned. */
  | "clone"
  /** Each copied into an ArrayBuffer of its own, which is transferred. */
  | "transfer"
  /** A batch of such copies in one message, cloned. */
  | "clones";

/** Batches that are posted and not done with at most. */
const BATCHES_OUT_MAX = 8;

/** Posts the packets of `what` one way to a worker. */
export async function plain(
  what: DeliveryCase,
  way: Way,
): Promise<DeliveryContestant> {
  const { batch } = what;
  const worker = new Worker(new URL("./plain_worker.ts", import.meta.url), {
    type: "module",
  });
  const channel = new MessageChannel();
  const takeNow = receiveMessageOnPort as unknown as TakeNow;
  const port = fromMessagePort<unknown, number>(channel.port1, { takeNow });
  const ready = nextMessage(port);
  worker.postMessage({ port: channel.port2, batch }, [channel.port2]);
  await ready;
  port.take();
  let posted = 0;
  let done = 0;
  return {
    async run(packets) {
      const start = performance.now();
      const until = done + packets;
      while (done < until) {
        while (posted < until && posted - done < BATCHES_OUT_MAX * batch) {
          postBatch(port, what, way);
          posted += batch;
        }
        const before = done;
        for (let n = port.take(); n !== undefined; n = port.take()) done += n;
        if (done === before) await nextMessage(port);
      }
      return (performance.now() - start) * 1e6 / packets;
    },
    end() {
      worker.terminate();
      port[Symbol.dispose]();
      if (done !== posted) throw new Error("deliver: packets are missing");
      return Promise.resolve();
    },
  };
}

function postBatch(
  port: { post(message: unknown, transfer?: Transferable[]): boolean },
  what: DeliveryCase,
  way: Way,
): void {
  const { packet, batch } = what;
  if (way === "clones") {
    port.post(Array.from({ length: batch }, () => packet.slice()));
    return;
  }
  for (let i = 0; i < batch; i++) {
    const copy = packet.slice();
    if (way === "clone") port.post(copy);
    else port.post(copy.buffer, [copy.buffer]);
  }
}

function nextMessage(
  port: { onReady: (() => void) | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    port.onReady = resolve;
  });
}
