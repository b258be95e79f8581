// deno run examples/broadcast_nic.ts
/** A NIC of one's own: Ethernet over a BroadcastChannel, between the threads of one process. */

import {
  boot,
  defaultManifest,
  openEmulated,
  type PacketMemory,
  type WireEnd,
} from "../mod.ts";

const FRAMES_MAX = 1024;

/** One station on the channel `name`. The emulated NIC does the rings and the pages. */
export function broadcastEnd(name: string, frameBytesMax = 1514): WireEnd {
  const channel = new BroadcastChannel(name);
  const arrived: Uint8Array[] = [];
  const lost = { "rx-full": 0, "rx-size": 0 };
  let [notify, down] = [() => {}, false];
  channel.onmessage = ({ data }) => {
    if (!(data.length > 0 && data.length <= frameBytesMax)) lost["rx-size"]++;
    else if (arrived.length === FRAMES_MAX) lost["rx-full"]++;
    else arrived.push(data);
    notify();
  };
  return {
    frameBytesMax,
    holds: true,
    get ended(): boolean {
      return down;
    },
    send(bytes, start, length) {
      if (!down) channel.postMessage(bytes.slice(start, start + length));
      return !down;
    },
    flush() {},
    peek: () => arrived[0]?.length ?? 0,
    receive(into, start) {
      into?.set(arrived[0]!, start);
      return arrived.shift()!.length;
    },
    dueMs: () => Infinity,
    onArrival: (callback) => void (notify = callback),
    counters: () => lost,
    [Symbol.dispose]() {
      down = true;
      channel.close();
      notify();
    },
  };
}

if (import.meta.main) {
  const manifest = defaultManifest();
  const open = (memory: PacketMemory) =>
    openEmulated({ memory, mac: manifest.mac, end: broadcastEnd("lan") });
  const system = await boot(manifest, { confined: false, nic: { open } });
  console.log(`up on ${(await system.snapshot()).nic.name}`);
  await system.stop();
}
