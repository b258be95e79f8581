/** The processes that a system's services are in, as the kernel shows them. */

import type { UpProcess } from "./up_process.ts";

/** A service's process, as the kernel shows it. */
export interface Shown {
  readonly pid: string;
  readonly line: string;
  readonly status: string;
}

/** The processes of a system's services. Their network is not the system's. */
export async function servicesOf({ child }: UpProcess): Promise<Shown[]> {
  const found: Shown[] = [];
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const [status, line] = await Promise.all(
      ["status", "cmdline"].map((file) =>
        Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "")
      ),
    );
    if (!status!.includes(`\nPPid:\t${child.pid}\n`)) continue;
    found.push({ pid, status: status!, line: line!.replaceAll("\0", " ") });
  }
  return found;
}

/** Whether a process is there that can still do something. */
export async function lives({ pid }: Shown): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`)
    .catch(() => "");
  return status !== "" && !/^State:\tZ/m.test(status);
}
