/** The processor time of child processes, as the scheduler counts it. */

/** Microseconds that the children of this process have run, all their threads. */
export async function childrenCpuUs(): Promise<number> {
  let cpuNs = 0;
  for (const pid of await children()) {
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const path = `/proc/${pid}/task/${name}/schedstat`;
      // Nanoseconds on a processor, and waiting for one, and how often.
      cpuNs += Number((await Deno.readTextFile(path)).split(" ", 1)[0]);
    }
  }
  return cpuNs / 1000;
}

/** The numbers of this process's children, whichever of its threads made them. */
async function children(): Promise<string[]> {
  const lists: string[] = [];
  for await (const { name } of Deno.readDir("/proc/self/task")) {
    const path = `/proc/self/task/${name}/children`;
    lists.push(await Deno.readTextFile(path).catch(() => ""));
  }
  return lists.flatMap((list) => list.split(" ")).filter((pid) => pid !== "");
}
