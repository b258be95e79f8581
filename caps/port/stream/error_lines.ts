/**
 * What a child process writes to its standard error, made harmless: it may be
 * somebody else's program, and what it writes ends on a person's terminal.
 *
 * ```
 * bytes ──► lines ──► at most 10 a second ──► UTF-8 ──► no controls ──► 200 characters
 *           4,096 bytes kept    └► counted, and said        └► �
 * ```
 */

const LINE_FEED = 10;
const SPACE = 0x20;

/** The longest line, its name in front left aside. */
const CHARACTERS_MAX = 200;

/** What is kept of a line that has not ended. */
const LINE_BYTES_MAX = 4096;

/** Lines in each second; what is said of those that were left out is one of them. */
const LINES_PER_SECOND = 10;

/**
 * What a terminal, or a reader, takes for more than text: escape sequences as a
 * whole (ECMA-48: CSI, and OSC up to its end), other control characters, and
 * marks that cannot be seen, those among them that turn the direction of text.
 */
const HARMFUL =
  // deno-lint-ignore no-control-regex -- these are what is looked for
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu;

/** The lines of one child. */
export class ErrorLines {
  readonly #name: string;
  readonly #line = new Uint8Array(LINE_BYTES_MAX);
  #length = 0;
  #secondMs = -Infinity;
  #shown = 0;
  #leftOut = 0;

  /** Lines that begin with `name`. */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Takes what was read at `nowMs`, in whatever pieces. Returns the lines to
   * show: blank ones are none. Nothing may be given, to be told in time what was
   * left out before.
   */
  take(bytes: Uint8Array, nowMs: number): string[] {
    const lines: string[] = [];
    this.#advance(nowMs, lines);
    let at = 0;
    while (true) {
      const end = bytes.indexOf(LINE_FEED, at);
      this.#keep(bytes.subarray(at, end < 0 ? bytes.length : end));
      if (end < 0) return lines;
      this.#finish(lines);
      at = end + 1;
    }
  }

  /** Returns what is left to show when the child has ended: a line without its end, and what was left out. */
  end(): string[] {
    const lines: string[] = [];
    this.#finish(lines);
    this.#sayLeftOut(lines);
    return lines;
  }

  #advance(nowMs: number, lines: string[]): void {
    if (nowMs - this.#secondMs < 1000) return;
    this.#secondMs = nowMs;
    this.#shown = 0;
    this.#sayLeftOut(lines);
  }

  #keep(part: Uint8Array): void {
    const fitting = part.subarray(0, LINE_BYTES_MAX - this.#length);
    this.#line.set(fitting, this.#length);
    this.#length += fitting.length;
  }

  #finish(lines: string[]): void {
    const line = this.#line.subarray(0, this.#length);
    this.#length = 0;
    if (line.every((byte) => byte <= SPACE)) return;
    if (this.#shown === LINES_PER_SECOND) {
      this.#leftOut++;
      return;
    }
    this.#shown++;
    lines.push(`${this.#name}: ${harmless(line)}`);
  }

  #sayLeftOut(lines: string[]): void {
    if (this.#leftOut === 0) return;
    const count = this.#leftOut === 1 ? "1 line" : `${this.#leftOut} lines`;
    lines.push(`${this.#name}: ${count} left out`);
    this.#leftOut = 0;
    this.#shown++;
  }
}

/** The text of a line, as anybody may see it. */
function harmless(line: Uint8Array): string {
  const text = new TextDecoder().decode(line).trimEnd()
    .replaceAll("\t", " ")
    .replace(HARMFUL, "\ufffd");
  const characters = [...text];
  return characters.length <= CHARACTERS_MAX
    ? text
    : `${characters.slice(0, CHARACTERS_MAX - 1).join("")}…`;
}
