/** What the kernel on the far side of a wire is asked to do, and what the near one says. */

import type { Namespace } from "../netns.ts";

/** The address that a system answers on. */
export const ADDRESS = "10.77.0.2";

/** A system whose driver dies. */
export const CRASH: string =
  new URL("./crash_process.ts", import.meta.url).pathname;

/** Sends datagrams to an echo, and says how many came back as they were sent. */
const CLIENT: string =
  new URL("../drivers/xdp/udp_client.ts", import.meta.url).pathname;

/** `count` pings to `address`, ten milliseconds apart: what `ping` says at the end. */
export function ping(
  space: Namespace,
  address: string,
  count: number,
): Promise<string> {
  const args = ["-n", "-q", "-c", String(count), "-i", "0.01", address];
  return space.run("ping", ...args);
}

/** `count` datagrams of 1 to `largest` bytes: how many were sent, and came back as they were. */
export async function datagrams(
  space: Namespace,
  count: number,
  { address = ADDRESS, largest = 1472 } = {},
): Promise<Record<string, number>> {
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net"];
  const options = [address, "7", String(count), "8", String(largest)];
  return JSON.parse(await space.run(...command, CLIENT, ...options));
}

/** Waits until `address` answers a ping: then packets flow. */
export async function answers(
  space: Namespace,
  address: string = ADDRESS,
): Promise<void> {
  const args = ["-n", "-q", "-c", "1", "-W", "1", address];
  for (let tries = 0; tries < 20; tries++) {
    if ((await space.try("ping", ...args)).code === 0) return;
  }
  throw new Error(`${address} answers no ping`);
}
