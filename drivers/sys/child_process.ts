/** A child process and the pipes to it, by the C library: `--allow-run` is not needed. */

import { Errno } from "./abi.ts";
import {
  type ChildEnd,
  killChild,
  killGroup,
  takeEnd,
  takeLeft,
} from "./child_end.ts";
import { IoVectors } from "./io_vectors.ts";
import { addressOf, errno, libc, sleepMs, systemError } from "./libc.ts";
import { openPipe } from "./pipe.ts";
import { FIONREAD, SIGKILL, SPLICE_F_NONBLOCK } from "./process_abi.ts";
import { limitData, limitedCommand } from "./process_limits.ts";
import { enterChild } from "./resource_list.ts";
import { spawn } from "./spawn.ts";

/** What a pipe holds by default: as much as Linux lets everybody have. */
const PIPE_BYTES = 1 << 20;

/** What the pipe of errors holds. */
const ERROR_PIPE_BYTES = 65_536;

/** Which program a child is, and what it is given. */
export interface ChildOptions {
  /** The program and its arguments: the path of an executable first. */
  readonly command: readonly string[];
  /** `NAME=value` each; empty by default: nothing is inherited. */
  readonly environment?: readonly string[];
  /** The descriptor of a file that it is given as its fourth; none by default. */
  readonly file?: number;
  /** Bytes that the pipes of input and output hold, if the kernel grants it: 1 MiB by default. */
  readonly pipeBytes?: number;
  /** RLIMIT_DATA in bytes, all memory that it can write and has for itself; none by default. */
  readonly dataBytesMax?: number;
}

/**
 * A child process on pipes: its standard input, output and error. It has no other
 * descriptor, the default signals, and a process group of its own.
 *
 * Reading and writing never block, and never raise SIGPIPE, which Deno ignores.
 * They return the bytes that were moved; 0 when nothing can be moved now; -1 when
 * the other end is closed, or this is.
 *
 * When the thread that started it is terminated, who has its list of resources
 * ends the child; when this process is killed, the child reads the end of its
 * input. One that does not read must be started so that the kernel ends it:
 * `setpriv --pdeathsig KILL`.
 */
export class ChildProcess implements Disposable {
  /** Process number. */
  readonly pid: number;
  readonly #owned: DisposableStack;
  readonly #calls = libc();
  readonly #count = new Int32Array(1);
  readonly #lent = new IoVectors(1);
  #input: number;
  #output: number;
  #errorOutput: number;
  #end: ChildEnd | undefined;
  /** What was lent last, and its address: asking for that costs as much as lending. */
  #lentBytes: Uint8Array | undefined;
  #lentAddress = 0;

  /**
   * Starts a process.
   * @throws {SystemError} when it cannot be started: nothing is left behind.
   */
  constructor(options: ChildOptions) {
    takeLeft();
    const { command, environment = [], dataBytesMax } = options;
    const { pipeBytes = PIPE_BYTES, file } = options;
    using near = new DisposableStack();
    using far = new DisposableStack();
    const owners = { near, far };
    const input = openPipe("reads", pipeBytes, owners);
    const output = openPipe("writes", pipeBytes, owners);
    const errorOutput = openPipe("writes", ERROR_PIPE_BYTES, owners);
    const limited = dataBytesMax === undefined
      ? undefined
      : limitedCommand(command, dataBytesMax);
    const standard = [input.far, output.far, errorOutput.far] as const;
    this.pid = spawn({
      command: limited ?? command,
      environment,
      descriptors: file === undefined ? standard : [...standard, file],
    });
    near.defer(() => this.#kill());
    enterChild(this.pid);
    if (dataBytesMax !== undefined && limited === undefined) {
      limitData(this.pid, dataBytesMax);
    }
    this.#input = input.near;
    this.#output = output.near;
    this.#errorOutput = errorOutput.near;
    this.#owned = near.move();
  }

  /** Descriptor for poll(2): readable when the child has written, or has closed its output, as it does by ending. */
  get output(): number {
    return this.#output;
  }

  /** Descriptor for poll(2): writable when there is room. */
  get input(): number {
    return this.#input;
  }

  /** Descriptor for poll(2): readable when the child has written to its standard error, or has closed it. */
  get errorOutput(): number {
    return this.#errorOutput;
  }

  /** Reads what the child has written into `into[from..to)`. */
  read(into: Uint8Array, from: number, to: number): number {
    if (isEmpty(into, from, to)) return 0;
    const place = partFrom(into, from);
    return moved(this.#calls.read(this.#output, place, BigInt(to - from)));
  }

  /** Reads what the child has written into the first `count` places of `vectors`, one after the other. */
  readv(vectors: IoVectors, count: number): number {
    return moved(this.#calls.readv(this.#output, vectors.words, count));
  }

  /** Reads what the child has written to its standard error. */
  readError(into: Uint8Array): number {
    if (isEmpty(into, 0, into.length)) return 0;
    const place = partFrom(into, 0);
    return moved(
      this.#calls.read(this.#errorOutput, place, BigInt(into.length)),
    );
  }

  /** Writes `bytes[start..end)`, or what there is room for. */
  write(bytes: Uint8Array, start: number, end: number): number {
    if (isEmpty(bytes, start, end)) return 0;
    const part = partFrom(bytes, start);
    return moved(this.#calls.write(this.#input, part, BigInt(end - start)));
  }

  /**
   * Puts `bytes[start..end)` into the pipe without copying them (vmsplice(2)), or
   * what there is room for: a pipe has room for so many pages, however little of
   * each is used. They must stay as they are until the child has read them, as
   * {@link unread} tells, or has ended.
   */
  lend(bytes: Uint8Array, start: number, end: number): number {
    if (isEmpty(bytes, start, end)) return 0;
    if (bytes !== this.#lentBytes) {
      this.#lentBytes = bytes;
      this.#lentAddress = Number(addressOf(bytes));
    }
    this.#lent.point(0, this.#lentAddress + start, end - start);
    const { words } = this.#lent;
    return moved(
      this.#calls.vmsplice(this.#input, words, 1n, SPLICE_F_NONBLOCK),
    );
  }

  /** Bytes in the pipe to the child that it has not read. */
  unread(): number {
    const count = this.#count;
    if (this.#calls.ioctl(this.#input, FIONREAD, count.buffer) < 0) return 0;
    return count[0]!;
  }

  /** How the child has ended; undefined while it runs. What it has started is ended with it. */
  ended(): ChildEnd | undefined {
    return this.#end ??= takeEnd(this.pid);
  }

  /** Waits on this thread for the child's end, `waitMs` at most, and says it as {@link ended} does. */
  endWithin(waitMs: number): ChildEnd | undefined {
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs++) {
      if (this.ended() !== undefined) break;
      sleepMs(1);
    }
    return this.ended();
  }

  /**
   * Kills the child, with what it has started, and does not wait: that takes
   * milliseconds, for a large child more. {@link ended} tells when it has ended.
   */
  kill(): void {
    if (this.ended() === undefined) killGroup(this.pid);
  }

  /** Kills the child, closes the pipes, and waits for its end, a tenth of a second at most. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
    this.#input = this.#output = this.#errorOutput = -1;
    this.#lentBytes = undefined;
  }

  #kill(): void {
    if (this.ended() !== undefined) return;
    this.#end = { signal: SIGKILL };
    killChild(this.pid);
  }
}

/** Whether there is nothing to move. @throws {RangeError} where `bytes` has no such part. */
function isEmpty(bytes: Uint8Array, start: number, end: number): boolean {
  if (start < 0 || start > end || end > bytes.length) {
    throw new RangeError(`no ${start}..${end} in ${bytes.length} bytes`);
  }
  return start === end;
}

/** FFI takes shared memory too, which its types do not say. */
function partFrom(bytes: Uint8Array, start: number): Uint8Array<ArrayBuffer> {
  const part = start === 0 ? bytes : bytes.subarray(start);
  return part as Uint8Array<ArrayBuffer>;
}

/** What a call has moved, by what it returned. Nothing at all is the end, since nothing was never asked for. */
function moved(result: number): number {
  if (result > 0) return result;
  return result === 0 ? -1 : whyNotMoved(errno());
}

function whyNotMoved(failed: number): number {
  switch (failed) {
    case Errno.EAGAIN:
    case Errno.EINTR:
      return 0;
    case Errno.EPIPE:
    case Errno.EBADF:
      return -1;
    default:
      throw systemError(failed, {
        where: "a pipe to a child",
        what: "cannot read or write it",
      });
  }
}
