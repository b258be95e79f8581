/** What the kernel has of an interface, and of programs for it: to be compared before and after. */

import { delay } from "@std/async/delay";
import type { Namespace } from "../netns.ts";
import { runCommand } from "../command.ts";

/** Link settings, XDP programs, addresses and neighbours of a namespace, without what counts. */
export async function kernelState(space: Namespace): Promise<unknown> {
  const json = async (...command: readonly string[]) =>
    JSON.parse(await space.run(...command)) as Record<string, unknown>[];
  const [links, addresses, neighbours, net] = await Promise.all([
    json("ip", "-details", "-json", "link"),
    json("ip", "-json", "address"),
    json("ip", "-json", "neighbor"),
    json("bpftool", "-j", "net"),
  ]);
  for (const link of links) delete link["stats64"];
  return { links, addresses, neighbours, net };
}

/** A program on an interface, and the maps that it was loaded with, by the kernel's numbers. */
export interface Loaded {
  readonly program: number;
  readonly maps: readonly number[];
}

/** The program on the interface; undefined where there is none. */
export async function loadedOn(space: Namespace): Promise<Loaded | undefined> {
  const { xdp } = await space.link() as { xdp?: { prog: { id: number } } };
  if (xdp === undefined) return undefined;
  const program = xdp.prog.id;
  const { map_ids: maps = [] } = JSON.parse(
    await space.run("bpftool", "-j", "prog", "show", "id", String(program)),
  ) as { map_ids?: number[] };
  return { program, maps };
}

/** Lists the programs and maps that the kernel still has; it frees them a moment after their last user. */
export async function leftOver(all: readonly Loaded[]): Promise<string[]> {
  for (let tries = 0;; tries++) {
    const [programs, maps] = await Promise.all([ids("prog"), ids("map")]);
    const left = all.flatMap((loaded) => [
      ...(programs.has(loaded.program) ? [`program ${loaded.program}`] : []),
      ...loaded.maps.filter((id) => maps.has(id)).map((id) => `map ${id}`),
    ]);
    if (left.length === 0 || tries === 50) return left;
    await delay(20);
  }
}

async function ids(what: "prog" | "map"): Promise<Set<number>> {
  const listed = JSON.parse(await runCommand(["bpftool", "-j", what]));
  return new Set((listed as { id: number }[]).map(({ id }) => id));
}
