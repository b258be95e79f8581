/**
 * A TAP driver in this very process: the thread enters a network namespace for
 * as long as it opens something there, and a packet socket on the TAP's other
 * end is the far side.
 */

import { makePacketMemory } from "../../../caps/memory/memory.ts";
import { closeDescriptor } from "../../../drivers/sys/libc.ts";
import { openTap } from "../../../drivers/tap/open.ts";
import type { DriverRig } from "../../conformance/driver.ts";
import {
  enter,
  enterNamed,
  openPacketSocket,
  openSpace,
  receiveAll,
  send,
} from "../xdp/rig.ts";

/** More frames than the suite has under way at once. */
const FRAMES = 192;

/** Runs `body` with this thread in the namespace of that name. */
export function inNamespace<T>(name: string, body: () => T): T {
  using back = new DisposableStack();
  const home = back.adopt(
    openSpace("/proc/thread-self/ns/net"),
    closeDescriptor,
  );
  back.defer(() => enter(home));
  enterNamed(name);
  return body();
}

/** A driver in the namespace of that name, with `queues`; the far side gets the suite's frames, or those of another type. */
export function tapRig(
  space: string,
  queues: number,
  etherType?: number,
): DriverRig {
  using owned = new DisposableStack();
  const memory = makePacketMemory(FRAMES);
  const interfaceName = "tap0";
  const { driver, far } = inNamespace(space, () => {
    const driver = owned.use(
      openTap({ kind: "tap", interfaceName, memory, queues }),
    );
    const far = owned.adopt(
      openPacketSocket(interfaceName, etherType),
      closeDescriptor,
    );
    return { driver, far };
  });
  const all = owned.move();
  return {
    driver,
    memory,
    inject: (frames) => {
      for (const frame of frames) send(far, frame);
    },
    collect: () => receiveAll(far),
    [Symbol.asyncDispose]: () => {
      all.dispose();
      return Promise.resolve();
    },
  };
}
