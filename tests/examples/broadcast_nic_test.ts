/** A driver from outside passes the suite that every driver passes, by what is published alone. */

import { match, rejects } from "node:assert/strict";
import {
  boot,
  defaultManifest,
  describeFrame,
  makePacketMemory,
  openEmulated,
} from "../../mod.ts";
import { broadcastEnd } from "../../examples/broadcast_nic.ts";
import { driverConformance, type DriverRig, Neighbour } from "../testing.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
let rigs = 0;

// Deno 2.9 cannot open a channel while it closes what was the last one.
const lasting = new BroadcastChannel("conformance");
addEventListener("unload", () => lasting.close());

/** A station and another one that the suite plays. */
function makeRig(): DriverRig {
  const name = `conformance ${++rigs}`;
  const memory = makePacketMemory(64);
  const end = broadcastEnd(name);
  const driver = openEmulated({ memory, mac: MAC, end, name, ringFrames: 16 });
  const far = broadcastEnd(name);
  return {
    driver,
    memory,
    inject: (frames) => {
      for (const frame of frames) far.send(frame, 0, frame.length);
    },
    collect: () => {
      const frames: Uint8Array[] = [];
      for (let length = far.peek(); length > 0; length = far.peek()) {
        const frame = new Uint8Array(length);
        far.receive(frame, 0);
        frames.push(frame);
      }
      return frames;
    },
    [Symbol.asyncDispose]: () => {
      driver[Symbol.dispose]();
      far[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

for (const { name, run } of driverConformance(makeRig, {}, 20)) {
  Deno.test(`a NIC of one's own: ${name}`, run);
}

Deno.test("a system runs on a NIC of one's own, in its thread; what is missing is said", async () => {
  const neighbour = new Neighbour();
  const far = broadcastEnd("system");
  const system = await boot(defaultManifest(), {
    confined: false,
    nic: {
      open: (memory) =>
        openEmulated({ memory, mac: MAC, end: broadcastEnd("system") }),
    },
  });
  const ask = neighbour.ping(new Uint8Array(56));
  far.send(ask, 0, ask.length);
  const arrived = Promise.withResolvers<void>();
  far.onArrival(arrived.resolve);
  await arrived.promise;
  const answer = new Uint8Array(far.peek());
  far.receive(answer, 0);
  match(describeFrame(answer, 0, answer.length), /echo reply/);
  await system.stop();
  far[Symbol.dispose]();
  for (const confined of [true, false]) {
    await rejects(
      boot(defaultManifest(), { confined, nic: {} }),
      confined ? /nic\.worker is missing/ : /nic\.open is missing/,
    );
  }
});
