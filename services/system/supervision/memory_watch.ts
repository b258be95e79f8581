/**
 * Watches the process's memory and ends the service that fills it. A heap has a
 * limit of its own (services/runtime/heap_limit.ts); buffers and messages that wait in a
 * port have none, and only the whole process's memory can be seen from outside.
 * So when that has grown, each service is asked what it uses: its shell answers,
 * not its core. One that uses too much is ended. One that does not answer may
 * only be busy, while another takes memory: such a one is asked again, and is ended
 * when it does not answer then, nobody uses too much, and memory is still taken.
 *
 * Some memory is counted for no worker, such as Wasm memories and the objects of
 * `Intl`: when nobody is to blame, the system says that.
 *
 * Ending does not always help: Deno 2.9 stops a worker only where it returns to
 * its event loop, and one that never does goes on. When memory grows on after
 * such a one was ended, the system is at an end: its process can be ended, and
 * nothing less.
 */

/** What a service may use, in its heap and beside it. */
export const SERVICE_BYTES_MAX = 256 << 20;

/** How often the process is looked at while its memory moves. */
const LOOK_MS = 50;

/**
 * And while it does not. A look with its wake-up is 0.2 ms of processor time: at
 * 20 a second that was most of what an idle system used. Who begins to allocate
 * is seen so much later at the most, by some hundred MiB at the rate of memory.
 */
const STILL_LOOK_MS = 200;

/** What counts as moving. */
const MOVED_BYTES = 4 << 20;

/** How long a service may take to say what it uses once memory has grown. */
const ANSWER_MS = 500;

/** A service that may be the one. */
export interface Suspect {
  readonly name: string;
  readonly state: string;
  /** Whether it was ended, and its thread may go on all the same. */
  readonly mayRunOn: boolean;
  /** What it used when it was asked last. */
  readonly memoryBytes: number;
  /** Asks what it uses. */
  ask(): Promise<unknown>;
  /** Ends it, with the reason. */
  cutOff(reason: string): void;
}

/** What is watched. */
export interface MemoryWatchOptions {
  /** The process's resident memory. */
  readonly residentBytes: () => number;
  /** The services as they are now. */
  readonly suspects: () => readonly Suspect[];
  /** Told when memory grows on and no service that is left is to blame. */
  readonly onRunaway: (message: string) => void;
  /** Told when memory has grown, and no service says that it is the one. */
  readonly onUnexplained: (message: string) => void;
}

/** Looks every now and then, until it is disposed of. */
export class MemoryWatch implements Disposable {
  readonly #options: MemoryWatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Resident memory above which the services are asked. */
  #alarmBytes: number;
  /** Resident memory when it was looked at last. */
  #lastBytes: number;
  #asking = false;
  /** Services that did not answer when they were asked last. */
  #silent: readonly Suspect[] = [];

  /** Watches from now on; memory that is in use already is not held against any service. */
  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#lastBytes = options.residentBytes();
    this.#alarmBytes = this.#lastBytes + SERVICE_BYTES_MAX;
    this.#timer = setTimeout(() => this.#lookOn(), LOOK_MS);
  }

  /** Looks once. Resolves when the services to be ended are. */
  async look(): Promise<void> {
    if (this.#asking || !this.#alarmed) return;
    this.#asking = true;
    const { suspects } = this.#options;
    const ended = suspects().filter(({ mayRunOn }) => mayRunOn);
    const silent = await this.#ask();
    this.#asking = false;
    if (!this.#alarmed) return;
    const greedy = suspects().filter((one) =>
      one.state === "running" && one.memoryBytes > SERVICE_BYTES_MAX
    );
    for (const suspect of greedy) {
      const mib = Math.round(suspect.memoryBytes / 2 ** 20);
      suspect.cutOff(`it was ended: it used ${mib} MiB of memory`);
    }
    const before = this.#silent;
    this.#silent = greedy.length > 0 ? [] : silent;
    const twice = this.#silent.filter((one) => before.includes(one));
    for (const suspect of twice) {
      suspect.cutOff(
        `it was ended: the process grew to ${this.#mib}, and it did not say what it uses`,
      );
    }
    if (silent.length + greedy.length === 0) this.#tell(ended);
    // Who did not answer for the first time is asked again at the next look.
    if (this.#silent.length > twice.length) return;
    // Whoever it was has been ended, or it is the program's own memory: nobody
    // is asked again before it has grown as much once more.
    this.#alarmBytes = this.#options.residentBytes() + SERVICE_BYTES_MAX;
  }

  /** Says that memory has grown, and that no service that runs explains it. */
  #tell(ended: readonly Suspect[]): void {
    const { onRunaway, onUnexplained } = this.#options;
    if (ended.length === 0) {
      return onUnexplained(
        `memory has grown to ${this.#mib}, and no service says that it uses it: it is the program's own, or of a kind that is counted for no worker (Wasm memories, Intl)`,
      );
    }
    const names = ended.map(({ name }) => name).join(", ");
    onRunaway(
      `memory has grown to ${this.#mib}: ${names} was ended and goes on, and Deno cannot stop it; end this process`,
    );
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Looks, and again soon or late, as memory moves. */
  #lookOn(): void {
    const bytes = this.#options.residentBytes();
    const moved = Math.abs(bytes - this.#lastBytes) >= MOVED_BYTES;
    this.#lastBytes = bytes;
    this.#timer = setTimeout(
      () => this.#lookOn(),
      moved ? LOOK_MS : STILL_LOOK_MS,
    );
    if (bytes > this.#alarmBytes) void this.look();
  }

  get #alarmed(): boolean {
    return this.#options.residentBytes() > this.#alarmBytes;
  }

  get #mib(): string {
    return `${Math.round(this.#options.residentBytes() / 2 ** 20)} MiB`;
  }

  /** Asks all that run. Returns those that have not answered in time. */
  async #ask(): Promise<readonly Suspect[]> {
    const silent = new Set(
      this.#options.suspects().filter(({ state }) => state === "running"),
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ANSWER_MS);
    });
    const answers = [...silent].map(async (suspect) => {
      await suspect.ask();
      silent.delete(suspect);
    });
    await Promise.race([Promise.all(answers), timeout]);
    clearTimeout(timer);
    return [...silent].filter(({ state }) => state === "running");
  }
}
