/**
 * Starts a process by posix_spawn(3): with three descriptors, the default
 * signals, a process group of its own, and nothing else of this process.
 */

import { Errno } from "./abi.ts";
import { addressOf, type Libc, libc, systemError } from "./libc.ts";
import {
  POSIX_SPAWN_SETPGROUP,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIGSET_BYTES,
  SPAWN_STRUCT_BYTES,
} from "./process_abi.ts";

/** What a process is started with. */
export interface SpawnOptions {
  /** The path of an executable, then its arguments. */
  readonly command: readonly string[];
  /** `NAME=value` each. */
  readonly environment: readonly string[];
  /** What becomes its standard input, output and error, and its fourth descriptor: none of them below 4. */
  readonly descriptors: readonly [
    input: number,
    output: number,
    error: number,
    file?: number,
  ];
}

/**
 * Starts a process. Returns its number; somebody must wait for its end.
 * @throws {SystemError} when it cannot be started.
 */
export function spawn(options: SpawnOptions): number {
  const { command, environment, descriptors } = options;
  const [program] = command;
  if (program === undefined) {
    throw new TypeError("there is no program to start");
  }
  const calls = libc();
  const actions = new Uint8Array(SPAWN_STRUCT_BYTES);
  const attributes = new Uint8Array(SPAWN_STRUCT_BYTES);
  calls.posix_spawn_file_actions_init(actions);
  calls.posix_spawnattr_init(attributes);
  try {
    connect(calls, actions, descriptors);
    setAttributes(calls, attributes);
    const pid = new Int32Array(1);
    const failed = calls.posix_spawn(
      pid,
      terminated(program),
      actions,
      attributes,
      listOf(command),
      listOf(environment),
    );
    if (failed !== 0) throw startError(failed, program);
    return pid[0]!;
  } finally {
    calls.posix_spawn_file_actions_destroy(actions);
    calls.posix_spawnattr_destroy(attributes);
  }
}

function connect(
  calls: Libc,
  actions: Uint8Array<ArrayBuffer>,
  descriptors: SpawnOptions["descriptors"],
): void {
  for (const [as, descriptor = -1] of descriptors.entries()) {
    // It would be replaced before it is copied. The runtime keeps these three open.
    if (descriptor < descriptors.length) {
      throw new Error(`${descriptor} is a standard descriptor`);
    }
    calls.posix_spawn_file_actions_adddup2(actions, descriptor, as);
  }
  // What others have opened may not be close-on-exec.
  calls.posix_spawn_file_actions_addclosefrom_np?.(actions, descriptors.length);
}

function setAttributes(
  calls: Libc,
  attributes: Uint8Array<ArrayBuffer>,
): void {
  const allSignals = new Uint8Array(SIGSET_BYTES).fill(0xff);
  const noSignals = new Uint8Array(SIGSET_BYTES);
  calls.posix_spawnattr_setsigdefault(attributes, allSignals);
  calls.posix_spawnattr_setsigmask(attributes, noSignals);
  calls.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK,
  );
}

const POINTER_BYTES = 8;

/**
 * Texts as a program is given them: one piece of memory, which lives as long as
 * the call that takes it.
 *
 * ```
 * ├ address of each │ 0 ┤ text 0 ┤ text 0 …
 * ```
 */
function listOf(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoded = texts.map((text) => {
    if (text.includes("\0")) {
      throw new TypeError(
        `a program's argument has a zero: ${JSON.stringify(text)}`,
      );
    }
    return new TextEncoder().encode(`${text}\0`);
  });
  const addressesBytes = (texts.length + 1) * POINTER_BYTES;
  const sizeBytes = encoded.reduce((sum, { length }) => sum + length, 0);
  const list = new Uint8Array(addressesBytes + sizeBytes);
  const addresses = new BigUint64Array(list.buffer, 0, texts.length + 1);
  const start = addressOf(list);
  let at = addressesBytes;
  for (const [index, text] of encoded.entries()) {
    addresses[index] = start + BigInt(at);
    list.set(text, at);
    at += text.length;
  }
  return list;
}

/** A text as C has it. */
function terminated(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    const shown = JSON.stringify(text);
    throw new TypeError(`a program's argument has a zero: ${shown}`);
  }
  return new TextEncoder().encode(`${text}\0`);
}

function startError(failed: number, program: string): Error {
  return systemError(failed, {
    where: program,
    what: "cannot start this program",
    advice: adviceToStart(failed),
  });
}

function adviceToStart(failed: number): string {
  switch (failed) {
    case Errno.ENOENT:
    case Errno.ENOTDIR:
      return "give the path of a program that is there";
    case Errno.EACCES:
    case Errno.ENOEXEC:
      return "give the path of a program that this user may execute";
    case Errno.EAGAIN:
      return "too many processes: end some, or raise their limit (ulimit -u)";
    case Errno.E2BIG:
      return "give it fewer or shorter arguments";
    default:
      return "see posix_spawn(3)";
  }
}
