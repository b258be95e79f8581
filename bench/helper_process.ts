/** A process in a namespace that says "ready", then answers each line with one of JSON. */

/** How a helper is started. */
export interface HelperOptions {
  /** The network namespace that it runs in. */
  readonly namespace: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

/** A running helper. */
export class HelperProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #unread = "";
  #reported = false;

  constructor({ namespace, command }: HelperOptions) {
    this.#name = command.join(" ");
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", namespace, ...command],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(
      new TextDecoderStream() as ReadableWritablePair<
        string,
        Uint8Array<ArrayBuffer>
      >,
    ).getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  /** Waits for its "ready". */
  async ready(): Promise<void> {
    const line = await this.#line();
    if (line !== "ready") throw new Error(`${this.#name}: it said ${line}`);
  }

  /** Sends it a line, and returns its answer. */
  async ask(line: string): Promise<Record<string, number>> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return JSON.parse(await this.#line());
  }

  /** Ends its input and waits for it to go; throws when it went with an error. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#lines.cancel();
    const { success, code } = await this.#child.status;
    if (success || this.#reported) return;
    throw new Error(`${this.#name}: it ended with ${code}`);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#unread.indexOf("\n");
      if (end >= 0) {
        const line = this.#unread.slice(0, end);
        this.#unread = this.#unread.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#lines.read();
      if (done) {
        this.#reported = true;
        throw new Error(`${this.#name}: it ended before it answered`);
      }
      this.#unread += value;
    }
  }
}
