/** Faults in how child processes are started, fed and ended. */

import { type Fault, fault } from "./fault.ts";

const SPAWN = {
  file: "drivers/sys/spawn.ts",
  test: "drivers/sys/child_process_test.ts",
  filter: "three descriptors",
};
const CHILD = {
  file: "drivers/sys/child_process.ts",
  test: "drivers/sys/child_process_test.ts",
};
const END = {
  file: "drivers/sys/child_end.ts",
  test: "drivers/sys/child_end_test.ts",
};
const WALLS = {
  file: "drivers/sys/child_walls.ts",
  test: "drivers/sys/child_walls_test.ts",
};
const ERRORS = {
  file: "caps/port/stream/error_lines.ts",
  test: "caps/port/stream/error_lines_test.ts",
};

const LINE = {
  file: "caps/port/stream/service_line.ts",
  test: "caps/port/stream/service_line_test.ts",
};
const STARTED = {
  file: "services/runtime/process/permitted_walls.ts",
  test: "services/runtime/process/start_process_test.ts",
  filter: "memory limited",
};

/** All of them. */
export const CHILD_FAULTS: readonly Fault[] = [
  fault(
    "a process's line that ends leaves the port for packets open",
    LINE,
    "    for (const pump of this.#pumps) this.#close(pump);\n",
    "",
  ),
  fault(
    "the kernel limits no memory of a process that the system starts",
    STARTED,
    "--data=${dataBytesMax}",
    "--data=unlimited",
  ),
  fault(
    "what others have opened goes on to a child",
    SPAWN,
    "  calls.posix_spawn_file_actions_addclosefrom_np?.(actions, descriptors.length);\n",
    "",
  ),
  fault(
    "a child ignores the signals that this process ignores",
    SPAWN,
    "POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK",
    "POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK",
  ),
  fault(
    "who writes to a child that reads no more is told of a full pipe",
    { ...CHILD, filter: "reads no more" },
    "    case Errno.EPIPE:\n    case Errno.EBADF:\n      return -1;",
    "    case Errno.EPIPE:\n      return 0;\n    case Errno.EBADF:\n      return -1;",
  ),
  fault(
    "the first memory that was lent is lent again",
    { ...CHILD, filter: "whatever was lent before" },
    "if (bytes !== this.#lentBytes) {",
    "if (this.#lentBytes === undefined) {",
  ),
  fault(
    "a child that was disposed of has its descriptors still",
    { ...CHILD, filter: "was disposed of" },
    "    this.#input = this.#output = this.#errorOutput = -1;\n",
    "",
  ),
  fault(
    "what a child has started outlives it",
    { ...END, filter: "has started ends" },
    "  if (info[Siginfo.pid] === 0) return undefined;\n  libc().kill(-pid, SIGKILL);\n",
    "  if (info[Siginfo.pid] === 0) return undefined;\n",
  ),
  fault(
    "a child that has ended is not taken out of the kernel's list",
    { ...END, filter: "last words" },
    "  libc().waitid(P_PID, pid, info, WEXITED | WNOHANG);\n",
    "",
  ),
  fault(
    "children of a worker that was terminated go on",
    {
      file: "drivers/sys/release_resources.ts",
      test: "drivers/sys/release_resources_test.ts",
    },
    '    if (holding.kind === "child") killChild(holding.pid);\n    else if',
    '    if (holding.kind === "child") continue;\n    else if',
  ),
  fault(
    "a child may raise the limit of its memory again",
    {
      file: "drivers/sys/process_limits.ts",
      test: "drivers/sys/process_limits_test.ts",
      filter: "from a program's beginning",
    },
    "`--data=${dataBytesMax}:${dataBytesMax}`",
    "`--data=${dataBytesMax}:`",
  ),
  fault(
    "a child gets a user whom this process could not end",
    { ...WALLS, filter: "without CAP_KILL" },
    "(isRoot ? whyUnkillable() : NOT_ROOT)",
    "(isRoot ? undefined : NOT_ROOT)",
  ),
  fault(
    "a wall that cannot be had takes the others with it",
    { ...WALLS, filter: "another user may not read" },
    "if (why === undefined) holding.push(wall);",
    "if (why === undefined && missing.length === 0) holding.push(wall);",
  ),
  fault(
    "what turns the direction of text is shown",
    { ...ERRORS, filter: "would obey" },
    "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Co}]",
    "[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Co}]",
  ),
  fault(
    "a line that has not ended is kept beyond its room",
    { ...ERRORS, filter: "long lines are cut" },
    "part.subarray(0, LINE_BYTES_MAX - this.#length)",
    "part.subarray(0, LINE_BYTES_MAX)",
  ),
  fault(
    "what is said of lines that were left out comes on top of ten",
    { ...ERRORS, filter: "lines are short" },
    "    this.#leftOut = 0;\n    this.#shown++;\n",
    "    this.#leftOut = 0;\n",
  ),
];
