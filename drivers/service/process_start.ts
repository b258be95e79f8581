/** How a service's process is started here: from which code, behind which walls. */

import type { ProcessCommand } from "../../caps/driver/messages.ts";
import type { ChildOptions } from "../sys/child_process.ts";
import { type Walls, wallsFor } from "../sys/child_walls.ts";
import { libc } from "../sys/libc.ts";
import { ProcessCode } from "./process_code.ts";

/** Why code that is not one file keeps its process from being another user's. */
const UNREADABLE = "its code may be readable for this user only";

/** Works out how processes are started; what that takes is done once. */
export class ProcessStarts implements Disposable {
  readonly #code = new ProcessCode();
  /** By whether the code is one file. */
  readonly #walls = new Map<boolean, Walls>();

  /** How `process` is started. `onMissing` is told once of each wall that cannot be had, in a line. */
  of(
    process: ProcessCommand,
    onMissing: (line: string) => void,
  ): ChildOptions {
    const { bundle, command, unbundled, environment, dataBytesMax } = process;
    const code = this.#code.of(bundle);
    const isOneFile = "file" in code;
    const known = this.#walls.get(isOneFile);
    const walls = known ?? makeWalls(isOneFile, command[0]!);
    if (known === undefined) {
      this.#walls.set(isOneFile, walls);
      if ("missing" in code) {
        onMissing(`processes start slower: ${code.missing}`);
      }
      for (const line of walls.missing) {
        onMissing(`processes have one wall less: ${line}`);
      }
    }
    return {
      command: [...walls.prefix, ...isOneFile ? command : unbundled],
      environment: isOneFile ? [] : environment,
      dataBytesMax,
      ...(isOneFile ? { file: code.file } : {}),
    };
  }

  [Symbol.dispose](): void {
    this.#code[Symbol.dispose]();
  }
}

function makeWalls(isOneFile: boolean, program: string): Walls {
  return wallsFor({
    uid: libc().geteuid(),
    probe: [program, "--version"],
    ...(isOneFile ? {} : { sameUser: UNREADABLE }),
  });
}
