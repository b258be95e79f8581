/**
 * Processes and pipes as numbers, beside abi.ts: each group names the header
 * that it is from (include/uapi/ of the kernel's source, or the C library's).
 */

/** fcntl(2). asm-generic/fcntl.h */
export const F_SETFL = 4;
/** linux/fcntl.h: at most /proc/sys/fs/pipe-max-size without CAP_SYS_RESOURCE. */
export const F_SETPIPE_SZ = 1031;
/** asm-generic/ioctls.h: bytes in a pipe that nobody has read. */
export const FIONREAD = 0x541bn;
/** linux/splice.h (the kernel's own): vmsplice(2) does not wait for room. */
export const SPLICE_F_NONBLOCK = 2;

/** access(2). unistd.h: may be executed. */
export const X_OK = 1;

/** linux/wait.h: the process of that number. */
export const P_PID = 1;
/** linux/wait.h */
export const WNOHANG = 1;
/** linux/wait.h */
export const WEXITED = 4;
/** linux/wait.h: leaves it to be waited for again. */
export const WNOWAIT = 0x0100_0000;
/** asm-generic/siginfo.h */
export const SIGINFO_BYTES = 128;
/** asm-generic/siginfo.h: words of 32 bits in a `siginfo_t` of a child that has ended. */
export const Siginfo = { code: 2, pid: 4, status: 6 } as const;
/** asm-generic/siginfo.h: ended by exit(3), its `status` is the exit status; otherwise it is a signal. */
export const CLD_EXITED = 1;

/** asm-generic/signal.h */
export const SIGKILL = 9;

/** prlimit(2). asm-generic/resource.h: all memory that can be written and is the process's own. */
export const RLIMIT_DATA = 2;

/** capget(2). linux/capability.h */
export const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** linux/capability.h: signals to processes of other users. */
export const CAP_KILL = 5;

/** posix_spawn(3). spawn.h of the C library. */
export const POSIX_SPAWN_SETPGROUP = 0x02;
/** spawn.h */
export const POSIX_SPAWN_SETSIGDEF = 0x04;
/** spawn.h */
export const POSIX_SPAWN_SETSIGMASK = 0x08;
/** spawn.h: more than a `posix_spawnattr_t` has, 336, and a `posix_spawn_file_actions_t`, 80. */
export const SPAWN_STRUCT_BYTES = 512;
/** bits/types/__sigset_t.h */
export const SIGSET_BYTES = 128;

/** memfd_create(2). linux/memfd.h */
export const MFD_CLOEXEC = 1;
/** linux/memfd.h */
export const MFD_ALLOW_SEALING = 2;

/** fcntl(2). linux/fcntl.h */
export const F_ADD_SEALS = 1033;
/** Seals against shrinking, growing, writing and further seals. linux/fcntl.h */
export const F_SEALS_ALL = 1 | 2 | 4 | 8;
