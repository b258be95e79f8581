/** A service in a process of its own, as the driver has it: the child, and the line to it. */

import type { Port } from "../../caps/port/port.ts";
import {
  ServiceLine,
  type ServiceLineEnds,
} from "../../caps/port/stream/service_line.ts";
import type { Source } from "../../caps/port/stream/reader.ts";
import type { Sink } from "../../caps/port/stream/writer.ts";
import { endWords } from "../../caps/port/stream/end_words.ts";
import { ErrorLines } from "../../caps/port/stream/error_lines.ts";
import { type ChildOptions, ChildProcess } from "../sys/child_process.ts";

/** Times that a process is read from in one turn: what one has written more waits. */
const READS_PER_TURN = 8;

/** How long the end of a process is waited for that has closed its output. */
const END_MS_MAX = 10;

/** Bytes of its standard error that are read at once. */
const ERROR_BYTES = 4096;

/** How a process is made. */
export interface ServiceProcessOptions {
  readonly child: ChildOptions;
  /** Name of the service, for what it prints. */
  readonly name: string;
  /** Submissions that may be unread. */
  readonly unreadMax: number;
  /** Called when there is something to do for it. */
  readonly onWork: () => void;
  /** Told what it prints, line by line. */
  readonly onPrinted: (line: string) => void;
}

/** One life of a process. */
export class ServiceProcess implements Disposable, Source, Sink {
  readonly #child: ChildProcess;
  readonly #line: ServiceLine;
  readonly #errors: ErrorLines;
  readonly #errorBytes = new Uint8Array(ERROR_BYTES);
  readonly #onPrinted: (line: string) => void;
  #control: Port<unknown, unknown> | undefined;
  #ended = false;
  /** Whether the last read brought less than there was room for. */
  #isShort = false;

  /**
   * Starts it. It does nothing before {@link begin}.
   * @throws {SystemError} when it cannot be started.
   */
  constructor(options: ServiceProcessOptions) {
    const { child, name, unreadMax, onWork, onPrinted } = options;
    this.#child = new ChildProcess(child);
    this.#errors = new ErrorLines(name);
    this.#onPrinted = onPrinted;
    this.#line = new ServiceLine({
      unreadMax,
      onWork,
      readByHolder: () => this.#line.written - this.#child.unread(),
    });
  }

  /** The driver service's end of its data channel. */
  get data(): Port<never, unknown> & ServiceLine["data"] {
    return this.#line.data;
  }

  /** What to wait for: it is readable when the process has written, or has ended. */
  get output(): number {
    return this.#child.output;
  }

  /** When it wants to be woken, in the milliseconds of `performance.now()`. */
  get wakeAtMs(): number {
    return this.#line.wakeAtMs;
  }

  /** Whether it has not read all that was written to it, and there is more. */
  get stalled(): boolean {
    return !this.#ended && !this.#line.flushed;
  }

  /** Tells it what it is. */
  begin(ends: ServiceLineEnds): void {
    this.#control = ends.control;
    this.#line.begin(ends);
  }

  /** Reads what it has written, a bounded number of times. Returns how often there was something. */
  receive(): number {
    if (this.#ended) return 0;
    for (let reads = 0; reads < READS_PER_TURN; reads++) {
      const count = this.#line.receive(this);
      if (count === 0) return reads;
      // A short read has emptied the pipe.
      if (count > 0 && this.#isShort && this.#line.broken === undefined) {
        return reads + 1;
      }
      if (count < 0 || this.#line.broken !== undefined) {
        this.#fail();
        return reads + 1;
      }
    }
    return READS_PER_TURN;
  }

  /** Writes what is for it, as far as it goes. */
  flush(): void {
    if (this.#ended) return;
    if (!this.#line.flush(this)) this.#fail();
  }

  read(into: Uint8Array, from: number, to: number): number {
    const count = this.#child.read(into, from, to);
    this.#isShort = count < to - from;
    return count;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return this.#child.write(bytes, start, end);
  }

  lend(bytes: Uint8Array, start: number, end: number): number {
    return this.#child.lend(bytes, start, end);
  }

  /** Passes on what it has printed. */
  listen(nowMs: number): void {
    const count = this.#child.readError(this.#errorBytes);
    if (count <= 0) return;
    const bytes = this.#errorBytes.subarray(0, count);
    for (const line of this.#errors.take(bytes, nowMs)) this.#onPrinted(line);
  }

  /** Kills it. All that it had comes back. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    // First the process: from then on nobody reads what was lent to it.
    this.#child[Symbol.dispose]();
    this.#line.end();
  }

  /** Tells the system why it has ended, or is ended: it does not keep to the protocol. */
  #fail(): void {
    const message = this.#line.broken ?? endOf(this.#child);
    this.listen(performance.now());
    this.#control?.post({ kind: "failed", message });
    this[Symbol.dispose]();
  }
}

/** How it ended, in words. Its pipes are closed a moment before that can be told. */
function endOf(child: ChildProcess): string {
  const end = child.endWithin(END_MS_MAX);
  if (end === undefined) return "its process closed its output";
  return "signal" in end ? endWords(0, end.signal) : endWords(end.code);
}
