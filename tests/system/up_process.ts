/** `sallyport up` as a user runs it: a process with the permissions of the task `start`. */

import config from "../../deno.json" with { type: "json" };
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { Namespace } from "../netns.ts";
import { commandOf, runCommand } from "../command.ts";

/** What such a process did. */
export interface UpResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where and how it runs. */
export interface UpOptions {
  /** The namespace; the test's own by default. */
  readonly space?: Namespace;
  /** A command that runs it, such as `setpriv …`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The command line of the task `start`, with this very Deno. */
function commandLine(
  args: readonly string[],
  options: UpOptions,
): readonly string[] {
  const [, run] = config.tasks.start.split(" && deno ");
  const words = run!.split(" ").map((word) =>
    word === "cli/main.ts" ? MAIN : word
  );
  words.splice(1, 0, `--config=${CONFIG}`);
  const command = [
    ...(options.prefix ?? []),
    Deno.execPath(),
    ...words,
    ...args,
  ];
  return options.space?.command(command) ?? command;
}

/** Runs it to its end. */
export async function up(
  args: readonly string[],
  options: UpOptions = {},
): Promise<UpResult> {
  await using process = new UpProcess(args, options);
  return await process.end();
}

/** The snapshot that `--json` printed, which must be all of standard output. */
export function snapshotIn({ out }: UpResult): SystemSnapshot {
  return JSON.parse(out) as SystemSnapshot;
}

/** The processes of a namespace, by number. */
export async function processesIn(space: Namespace): Promise<string[]> {
  const pids = await runCommand(["ip", "netns", "pids", space.name]);
  return pids.split(/\s+/).filter((pid) => pid !== "");
}

/** A process of `sallyport up`, while it runs. Disposal kills it. */
export class UpProcess implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #out: Gathered;
  readonly #err: Gathered;

  constructor(args: readonly string[], options: UpOptions = {}) {
    this.child = commandOf(commandLine(args, options), {
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#out = new Gathered(this.child.stdout);
    this.#err = new Gathered(this.child.stderr);
  }

  /** Waits until standard output, or standard error, says this. @throws when it ends before. */
  async says(pattern: RegExp, where: "out" | "err" = "out"): Promise<void> {
    const stream = where === "out" ? this.#out : this.#err;
    if (await stream.until(pattern)) return;
    const { code, out, err } = await this.end();
    throw new Error(
      `it ended (status ${code}) without saying ${pattern}:\n${out}\n${err}`,
    );
  }

  /** Waits for its end. */
  async end(): Promise<UpResult> {
    const [{ code }, out, err] = await Promise.all([
      this.child.status,
      this.#out.all(),
      this.#err.all(),
    ]);
    return { code, out, err };
  }

  /** Interrupts it, as Ctrl-C does, and waits for its end. */
  async interrupt(): Promise<UpResult> {
    this.child.kill("SIGINT");
    return await this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.end();
  }
}

/** Runs it with a manifest, whose file is removed with the process; at its end it prints a snapshot. */
export function upWithManifest(
  manifest: object,
  options: UpOptions = {},
): UpProcess & AsyncDisposable {
  const path = Deno.makeTempFileSync({ suffix: ".json" });
  Deno.writeTextFileSync(path, JSON.stringify(manifest));
  const process = new UpProcess(["--manifest", path, "--json"], options);
  return Object.assign(process, {
    [Symbol.asyncDispose]: async () => {
      await UpProcess.prototype[Symbol.asyncDispose].call(process);
      await Deno.remove(path);
    },
  });
}

/** The text of a stream, as it comes. */
class Gathered {
  #text = "";
  #ended = false;
  #more = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#done = this.#gather(stream);
  }

  async until(pattern: RegExp): Promise<boolean> {
    while (!pattern.test(this.#text) && !this.#ended) await this.#more.promise;
    return pattern.test(this.#text);
  }

  async all(): Promise<string> {
    await this.#done;
    return this.#text;
  }

  async #gather(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
    this.#ended = true;
    this.#more.resolve();
  }
}
