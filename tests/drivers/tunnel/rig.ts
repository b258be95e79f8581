/** Tunnels for tests: two ends with one key, over a medium or over loopback. */

import { delay } from "@std/async/delay";
import { makePacketMemory } from "../../../caps/memory/memory.ts";
import { TunnelDriver } from "../../../drivers/tunnel/nic.ts";
import { Secret } from "../../../drivers/tunnel/secret.ts";
import { openSocket } from "../../../drivers/tunnel/socket.ts";
import { openTunnel, type TunnelEnd } from "../../../drivers/tunnel/tunnel.ts";
import type { DriverRig } from "../../conformance/driver.ts";
import { farSide, MAC } from "../emulated/rig.ts";
import { Medium } from "./medium.ts";

/** A key that no link has. */
export const secretOf = (byte: number): Promise<Secret> =>
  Secret.of(new Uint8Array(32).fill(byte));

/** A UDP port of loopback that is free now. */
export function freePort(): number {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

/** Waits until `holds`. @throws when it does not for ten seconds. */
export async function until(
  holds: () => boolean,
  what = "it to happen",
): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited for ${what}`);
    await delay(1);
  }
}

/** Two ends of one tunnel. */
export interface Pair extends Disposable {
  readonly medium: Medium;
  readonly ends: [TunnelEnd, TunnelEnd];
  /** Closes `side` and opens another in its place, as a restarted process does. */
  restart(side: 0 | 1, secret?: Secret): Promise<TunnelEnd>;
}

/** A tunnel over a medium; resolves when both directions work. */
export async function tunnelPair(
  options: {
    readonly retryMs?: number;
    readonly rekeyFrames?: number;
    readonly keepaliveMs?: number;
  } = {},
): Promise<Pair> {
  const secret = await secretOf(7);
  const medium = new Medium();
  const open = (side: 0 | 1, own = secret) =>
    openTunnel({
      secret: own,
      socket: medium.open(side),
      retryMs: 20,
      ...options,
    });
  const ends: [TunnelEnd, TunnelEnd] = [open(0), open(1)];
  await until(() => ends.every((end) => end.established), "a session each way");
  return {
    medium,
    ends,
    restart: async (side, own) => {
      ends[side][Symbol.dispose]();
      const end = open(side, own);
      ends[side] = end;
      if (own === undefined) await until(() => end.established, "a session");
      return end;
    },
    [Symbol.dispose]: () => ends.forEach((end) => end[Symbol.dispose]()),
  };
}

/** A driver on one end of a tunnel over loopback. */
export async function udpRig(): Promise<DriverRig> {
  const memory = makePacketMemory(64);
  const secret = await secretOf(9);
  const [here, there] = [freePort(), freePort()].map((port) => ({
    hostname: "127.0.0.1",
    port,
  }));
  const far = openTunnel({ secret, socket: openSocket(there!, here!) });
  const end = openTunnel({
    secret,
    socket: openSocket(here!, there!),
    retryMs: 20,
  });
  const driver = new TunnelDriver({
    memory,
    end,
    mac: MAC,
    ringFrames: 16,
    name: `udp:127.0.0.1:${here!.port},127.0.0.1:${there!.port}`,
  });
  await until(() => end.established && far.established, "a session each way");
  return {
    driver,
    memory,
    ...farSide(far),
    [Symbol.asyncDispose]: () => {
      driver[Symbol.dispose]();
      far[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
