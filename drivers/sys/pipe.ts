/** Pipes to and from other processes: this process's ends never block. */

import { O_CLOEXEC, O_NONBLOCK } from "./abi.ts";
import { type Attempt, check, closeDescriptor, libc } from "./libc.ts";
import { F_SETFL, F_SETPIPE_SZ } from "./process_abi.ts";
import { enterDescriptor } from "./resource_list.ts";

/** What a pipe holds unless it is asked to hold more: 16 pages. */
const PIPE_BYTES_DEFAULT = 65_536;

const OPENING: Attempt = { where: "pipe2", what: "cannot open a pipe" };

/** The two ends of a pipe. */
export interface Pipe {
  /** End of this process: non-blocking. */
  readonly near: number;
  /** End of the other process: blocking, as programs expect it. */
  readonly far: number;
}

/** Who closes the ends of a pipe. */
export interface PipeOwners {
  readonly near: DisposableStack;
  readonly far: DisposableStack;
}

/**
 * Opens a pipe that the other process `reads` or `writes`. It holds `sizeBytes`,
 * or as near to that as the kernel grants. Both ends are close-on-exec.
 *
 * @throws {SystemError} when too many files are open.
 */
export function openPipe(
  far: "reads" | "writes",
  sizeBytes: number,
  owners: PipeOwners,
): Pipe {
  const ends = new Int32Array(2);
  check(libc().pipe2(ends, O_CLOEXEC), OPENING);
  const [reading, writing] = [ends[0]!, ends[1]!];
  const pipe = far === "reads"
    ? { near: writing, far: reading }
    : { near: reading, far: writing };
  own(pipe.near, owners.near);
  own(pipe.far, owners.far);
  check(libc().fcntl(pipe.near, F_SETFL, O_NONBLOCK), OPENING);
  enlarge(pipe.near, sizeBytes);
  return pipe;
}

function own(descriptor: number, owner: DisposableStack): void {
  owner.adopt(descriptor, closeDescriptor);
  enterDescriptor(descriptor);
}

/** Has a pipe hold `sizeBytes`; half of that where it is refused, and so on. */
function enlarge(end: number, sizeBytes: number): void {
  for (let size = sizeBytes; size > PIPE_BYTES_DEFAULT; size /= 2) {
    if (libc().fcntl(end, F_SETPIPE_SZ, Math.floor(size)) >= 0) return;
  }
}
