import { Errno } from "./abi.ts";

const names = new Map<number, string>(
  Object.entries(Errno).map(([name, number]) => [number, name]),
);

/** What a {@link SystemError} is made of. */
export interface SystemErrorParts {
  /** Where: `xdp:veth0`, `bpf(BPF_MAP_CREATE)`. */
  readonly where: string;
  /** What could not be done: `cannot attach the XDP program`. */
  readonly what: string;
  /** The kernel's error number. */
  readonly errno: number;
  /** What the C library says of it: `Operation not permitted`. */
  readonly text: string;
  /** What to do about it, as a sentence. */
  readonly advice?: string | undefined;
}

/** The privileges that a mapped NIC needs, for people. */
const PRIVILEGES_NEEDED =
  "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON";

/**
 * A system call that failed, said in one line: where, what, why, what to do.
 * For refusals by privilege the advice names the privileges.
 */
export class SystemError extends Error {
  /** `SystemError`. */
  override readonly name: string = "SystemError";
  /** The kernel's error number (asm-generic/errno.h). */
  readonly errno: number;
  /** Name of the error: `EPERM`; `errno 77` for those that have none here. */
  readonly code: string;

  /** An error from its parts. */
  constructor(parts: SystemErrorParts) {
    const code = names.get(parts.errno) ?? `errno ${parts.errno}`;
    const advice = parts.advice ?? adviceFor(parts.errno);
    super(
      `${parts.where}: ${parts.what}: ${parts.text} (${code})` +
        (advice === undefined ? "" : `; ${advice}`),
    );
    this.errno = parts.errno;
    this.code = code;
  }
}

function adviceFor(errno: number): string | undefined {
  switch (errno) {
    case Errno.EPERM:
    case Errno.EACCES:
      return PRIVILEGES_NEEDED;
    case Errno.ENOSYS:
      return "this kernel lacks the call: Linux 5.9 or newer is needed";
    case Errno.EMFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return undefined;
  }
}
