/**
 * The C library through Deno's FFI: the only way out of TypeScript into the
 * kernel that Sallyport has. Opening it needs `--allow-ffi`, and nothing else.
 *
 * The calls are bare; {@link check} turns a -1 into a {@link SystemError}. An
 * error number is read right after its call, on the same thread; it does not
 * exist for the non-blocking `ppollAside`, which runs on another one.
 */

import { Errno } from "./abi.ts";
import { leaveDescriptor } from "./resource_list.ts";
import { SystemError } from "./system_error.ts";

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctlValue: {
    name: "ioctl",
    parameters: ["i32", "u64", "u64"],
    result: "i32",
  },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  mmap: {
    parameters: ["pointer", "u64", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  munmap: { parameters: ["pointer", "u64"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u64"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u64"], result: "i32" },
  readv: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  writev: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u64", "i32"], result: "i32" },
  send: { parameters: ["i32", "pointer", "u64", "i32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  ppoll: {
    parameters: ["buffer", "u64", "buffer", "pointer"],
    result: "i32",
  },
  ppollAside: {
    name: "ppoll",
    parameters: ["buffer", "u64", "buffer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  syscall3: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "u64"],
    result: "i64",
  },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  vmsplice: { parameters: ["i32", "buffer", "u64", "u32"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  waitid: { parameters: ["i32", "i32", "buffer", "i32"], result: "i32" },
  prlimit: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_adddup2: {
    parameters: ["buffer", "i32", "i32"],
    result: "i32",
  },
  // Since glibc 2.34.
  posix_spawn_file_actions_addclosefrom_np: {
    parameters: ["buffer", "i32"],
    result: "i32",
    optional: true,
  },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_setsigmask: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  strerror: { parameters: ["i32"], result: "pointer" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The C library's functions, by name. */
export type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

interface Opened {
  readonly calls: Libc;
  /** Where this thread's `errno` lies. */
  readonly errno: Int32Array<ArrayBuffer>;
}

let opened: Opened | undefined;

/**
 * The C library's functions, opened at the first call and kept for the life of
 * the thread.
 *
 * @throws {Error} when this is not Linux with glibc, or `--allow-ffi` is missing.
 */
export function libc(): Libc {
  return open().calls;
}

/** The number of the error that the last call of this thread left behind. */
export function errno(): number {
  return open().errno[0]!;
}

/** What the C library says of an error number: `Operation not permitted`. */
export function errorText(number: number): string {
  const text = libc().strerror(number);
  return text === null
    ? `error ${number}`
    : new Deno.UnsafePointerView(text).getCString();
}

/** What was tried, for the error that {@link check} may throw. */
export interface Attempt {
  /** Where: the interface, or the call. */
  readonly where: string;
  /** What cannot be done, should it fail: `cannot open a socket`. */
  readonly what: string;
  /** What to do about it; by default what is known of the error number. */
  readonly advice?: string;
}

/**
 * Passes on what a call returned.
 *
 * @throws {SystemError} when it is negative.
 */
export function check(result: number, attempt: Attempt): number {
  if (result < 0) throw systemError(errno(), attempt);
  return result;
}

/** The error that says that `attempt` failed with error `number`. */
export function systemError(number: number, attempt: Attempt): SystemError {
  return new SystemError({
    ...attempt,
    errno: number,
    text: errorText(number),
  });
}

/** Waits on this thread; for the few places where the kernel needs a moment. */
export function sleepMs(delayMs: number): void {
  libc().poll(null, 0n, delayMs);
}

/** Closes a file descriptor; what cannot be closed is closed already. */
export function closeDescriptor(descriptor: number): void {
  if (descriptor < 0) return;
  leaveDescriptor(descriptor);
  libc().close(descriptor);
}

/** The address of the first byte of `bytes`, as a number for the kernel. */
export function addressOf(bytes: Uint8Array): bigint {
  // Asking for the buffer moves a small array out of the collected heap first.
  const buffer = bytes.buffer as ArrayBuffer;
  const start = Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
  return start + BigInt(bytes.byteOffset);
}

function open(): Opened {
  opened ??= openNow();
  return opened;
}

function openNow(): Opened {
  if (Deno.build.os !== "linux") {
    throw new Error(
      `mapped NICs need Linux; this is ${Deno.build.os}. The emulated NIC runs anywhere`,
    );
  }
  const calls = Deno.dlopen("libc.so.6", symbols).symbols;
  const location = calls.__errno_location();
  if (location === null) throw new Error("libc: no errno on this thread");
  const buffer = Deno.UnsafePointerView.getArrayBuffer(location, 4);
  return { calls, errno: new Int32Array(buffer) };
}

/** Whether an error says that the kernel, or a NIC, cannot do what was asked at all. */
export function isUnsupported(number: number): boolean {
  return number === Errno.EOPNOTSUPP || number === Errno.ENOTSUPP ||
    number === Errno.ENOPROTOOPT || number === Errno.ENOSYS;
}
