/** What runs at the two ends of a veth pair: whether it can here, and on which processors. */

import { Namespaces } from "./namespaces.ts";

/** The pair, or why there can be none. */
export async function tryNamespaces(): Promise<Namespaces | string> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root: network namespaces and AF_XDP";
  if (!hasProgram("ip")) return "needs `ip` of iproute2";
  try {
    return await Namespaces.make();
  } catch (error) {
    // Root of a container may not make any.
    return error instanceof Error ? error.message : String(error);
  }
}

/** The command that runs a script of bench/receivers/ in this Deno. */
export function denoScript(script: string, ...args: string[]): string[] {
  const path = `${import.meta.dirname}/receivers/${script}`;
  // Deno.listenDatagram is there with --unstable-net only.
  const flags = ["-A", "--no-check", "--unstable-net"];
  return [Deno.execPath(), "run", ...flags, path, ...args];
}

/**
 * What a command begins with at one end. The sender has a processor to itself,
 * if there is more than one: where the scheduler happens to put the two would
 * else decide what is measured.
 */
export function pinned(part: "sender" | "receiver"): string[] {
  const last = navigator.hardwareConcurrency - 1;
  if (last === 0 || !hasProgram("taskset")) return [];
  return ["taskset", "--cpu-list", part === "sender" ? "0" : `1-${last}`];
}

/** Whether there is such a program here. */
export function hasProgram(name: string): boolean {
  try {
    const args = [name === "ip" ? "-V" : "--version"];
    return new Deno.Command(name, { args }).outputSync().success;
  } catch {
    return false;
  }
}
