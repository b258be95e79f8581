/**
 * Starts a service in a process of its own by the runtime's own means, where no
 * driver calls the kernel: its standard streams are read and written by the event
 * loop of this thread.
 *
 * ```
 *   control, requests, data (MessagePorts)
 *        │
 *   ServiceLine ══ stdin, stdout ══ process
 *                  stderr ──► ErrorLines ──► onPrinted
 * ```
 *
 * One write is under way at a time, and holds a copy of what it writes: what
 * comes meanwhile waits in the line, and beyond its bound in the ports, whose
 * senders count what they leave out.
 */

import type { ProcessCommand } from "../../../caps/driver/messages.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import { IN_FLIGHT_MAX } from "../../../caps/port/records.ts";
import { endWords } from "../../../caps/port/stream/end_words.ts";
import { ErrorLines } from "../../../caps/port/stream/error_lines.ts";
import type { Source } from "../../../caps/port/stream/reader.ts";
import { ServiceLine } from "../../../caps/port/stream/service_line.ts";
import type { Sink } from "../../../caps/port/stream/writer.ts";
import { denoPath, permittedDeno } from "./permitted_deno.ts";
import { permittedWalls } from "./permitted_walls.ts";

/** Bytes that are read at once. */
const READ_BYTES = 131_072;

/** Bytes that are written at once. */
const WRITE_BYTES = 131_072;

/** How long a process that has closed its streams is waited for. */
const END_MS = 1000;

/** The longest delay of a timer: a longer one would go off at once. */
const TIMER_MS_MAX = 0x7fff_ffff;

/** A process, before it runs. */
export interface ProcessStart {
  readonly command: ProcessCommand;
  /** The first message to the service, without its ports: plain data. */
  readonly start: unknown;
  /** To the system. */
  readonly control: MessagePort;
  /** To the filter service. */
  readonly requests: MessagePort;
  /** To the driver service. */
  readonly data: MessagePort;
}

/** What is told of a process. */
export interface ProcessEvents {
  /** Hears once, in one line, why it has ended, or is ended: it does not keep to the protocol. */
  readonly onCrash: (message: string) => void;
  /** Hears what it prints, line by line. */
  readonly onPrinted: (line: string) => void;
}

/** The ports of a process, which are transferred with its start. */
export function portsOf(
  { control, requests, data }: ProcessStart,
): MessagePort[] {
  return [control, requests, data];
}

/** Starts a process. Returns what kills it, at once and without a word. */
export function startProcess(
  start: ProcessStart,
  events: ProcessEvents,
): () => void {
  try {
    const process = new RuntimeProcess(spawn(start.command), start, events);
    return () => process[Symbol.dispose]();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Who starts it has no end of it yet.
    queueMicrotask(() =>
      events.onCrash(`its process cannot be started: ${why}`)
    );
    return () => {};
  }
}

function spawn(
  { unbundled, environment, dataBytesMax }: ProcessCommand,
): Deno.ChildProcess {
  const [program, ...args] = commandWith(unbundled, dataBytesMax);
  return new Deno.Command(program!, {
    args,
    clearEnv: true,
    env: Object.fromEntries(environment.map((one) => one.split("=", 2))),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The command as this program may run it, behind the walls that it may have. */
function commandWith(
  command: readonly string[],
  dataBytesMax: number,
): readonly string[] {
  const [path, ...args] = command;
  if (path !== denoPath()) return command;
  const walls = permittedWalls(dataBytesMax);
  // Behind a wall the program is no longer looked for by this one's rules.
  const deno = walls.length > 0 ? path : permittedDeno() ?? path;
  return [...walls, deno, ...args];
}

/** One life of a process. */
class RuntimeProcess implements Disposable, Source, Sink {
  readonly #child: Deno.ChildProcess;
  readonly #line: ServiceLine;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #errors: ErrorLines;
  readonly #events: ProcessEvents;
  readonly #printed: Promise<void>;
  /** What was read last, and how much of it was taken. */
  #chunk = new Uint8Array();
  #taken = 0;
  #writing = false;
  #ended = false;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #alarmAtMs = Infinity;

  constructor(
    child: Deno.ChildProcess,
    { command, start, control, requests, data }: ProcessStart,
    events: ProcessEvents,
  ) {
    this.#child = child;
    this.#events = events;
    this.#input = child.stdin.getWriter();
    this.#errors = new ErrorLines(command.name);
    this.#line = new ServiceLine({
      unreadMax: IN_FLIGHT_MAX,
      onWork: () => this.#flush(),
    });
    this.#line.begin({
      start,
      control: fromMessagePort(control),
      requests: fromMessagePort(requests),
      data: fromMessagePort(data),
    });
    this.#printed = this.#listen();
    void this.#receive();
  }

  /** Takes of what was read last. */
  read(into: Uint8Array, from: number, to: number): number {
    const end = Math.min(this.#chunk.length, this.#taken + to - from);
    into.set(this.#chunk.subarray(this.#taken, end), from);
    const count = end - this.#taken;
    this.#taken = end;
    return count;
  }

  /** Begins to write a copy, unless a write is under way. */
  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.#writing) return 0;
    this.#writing = true;
    const copy = new Uint8Array(
      bytes.subarray(start, Math.min(end, start + WRITE_BYTES)),
    );
    this.#input.write(copy).then(() => {
      this.#writing = false;
      this.#flush();
    }, () => void this.#closed());
    return copy.length;
  }

  /** Kills it. All that it had of the driver's goes back. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#alarm);
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    this.#line.end();
    this.#input.abort().catch(() => {});
  }

  #flush(): void {
    if (this.#ended) return;
    this.#line.flush(this);
    this.#setAlarm();
  }

  /** Has it woken when it wants that. */
  #setAlarm(): void {
    const { wakeAtMs } = this.#line;
    if (wakeAtMs === this.#alarmAtMs) return;
    clearTimeout(this.#alarm);
    this.#alarmAtMs = wakeAtMs;
    if (wakeAtMs === Infinity) return;
    const delayMs = Math.min(wakeAtMs - performance.now(), TIMER_MS_MAX);
    this.#alarm = setTimeout(() => {
      this.#alarmAtMs = Infinity;
      this.#flush();
    }, delayMs);
  }

  /** Gives out what it writes, to its end. */
  async #receive(): Promise<void> {
    const output = this.#child.stdout.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(READ_BYTES);
    while (!this.#ended) {
      const { value } = await output.read(new Uint8Array(buffer));
      if (value === undefined || value.length === 0) return this.#closed();
      buffer = value.buffer;
      this.#chunk = value;
      this.#taken = 0;
      while (!this.#ended && this.#taken < value.length) {
        this.#line.receive(this);
        const { broken } = this.#line;
        if (broken !== undefined) return this.#fail(broken);
      }
      this.#flush();
    }
  }

  /** Passes on what it prints, to its end. */
  async #listen(): Promise<void> {
    for await (const bytes of this.#child.stderr) {
      const lines = this.#errors.take(bytes, performance.now());
      for (const line of lines) this.#events.onPrinted(line);
    }
    for (const line of this.#errors.end()) this.#events.onPrinted(line);
  }

  /** Takes it that the process reads or writes no more: it has ended, or is ended. */
  async #closed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), END_MS);
    const status = await Promise.race([
      Promise.all([this.#child.status, this.#printed]),
      promise,
    ]);
    clearTimeout(timer);
    this.#fail(
      status === undefined
        ? "its process closed its streams"
        : endWords(status[0].code, status[0].signal ?? undefined),
    );
  }

  #fail(message: string): void {
    if (this.#ended) return;
    this[Symbol.dispose]();
    this.#events.onCrash(message);
  }
}
