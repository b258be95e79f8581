/** How a running system is shown: a live table, plain lines, or JSON. */

import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { renderTable, type Tone } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { renderChanges, renderStart, renderSummary } from "./words.ts";

/** Shows a running system. Disposal leaves the terminal as it was. */
export interface View extends Disposable {
  /** How often to {@link View.update} it; Infinity for never. */
  readonly periodMs: number;
  /** Shows a moment. Returns false once its reader has closed it. */
  update(snapshot: SystemSnapshot): boolean;
  /** Writes to standard error, beside what is shown. */
  warn(text: string): void;
  /** Shows the last moment, with the summary. */
  finish(snapshot: SystemSnapshot): void;
}

/** The view for this terminal; `json` asks for the last snapshot and nothing else. */
export function makeView(
  terminal: Terminal,
  options: { readonly json: boolean },
): View {
  if (options.json) return new JsonView(terminal);
  return terminal.interactive ? new LiveView(terminal) : new LineView(terminal);
}

class JsonView implements View {
  readonly periodMs = Infinity;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(): boolean {
    return true;
  }

  warn(text: string): void {
    this.#terminal.writeError(text);
  }

  finish(snapshot: SystemSnapshot): void {
    this.#terminal.write(`${JSON.stringify(snapshot, null, 2)}\n`);
  }

  [Symbol.dispose](): void {}
}

/** One line at the start, then what changed, once a second. */
class LineView implements View {
  readonly periodMs = 1000;
  readonly #terminal: Terminal;
  #previous: SystemSnapshot | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(snapshot: SystemSnapshot): boolean {
    const lines = this.#previous === undefined
      ? [renderStart(snapshot)]
      : renderChanges(snapshot, this.#previous);
    this.#previous = snapshot;
    return this.#terminal.write(lines.map((line) => `${line}\n`).join(""));
  }

  warn(text: string): void {
    this.#terminal.writeError(text);
  }

  finish(snapshot: SystemSnapshot): void {
    const lines = renderSummary(snapshot);
    // A short run may be over before its first moment was shown.
    if (this.#previous === undefined) lines.unshift(renderStart(snapshot));
    this.#terminal.write(lines.map((line) => `${line}\n`).join(""));
  }

  [Symbol.dispose](): void {}
}

const ESCAPE = "\x1b[";
const HIDE_CURSOR = `${ESCAPE}?25l`;
const SHOW_CURSOR = `${ESCAPE}?25h`;
const CLEAR_TO_LINE_END = `${ESCAPE}K`;
const CLEAR_TO_SCREEN_END = `${ESCAPE}J`;
const CLEAR_SCREEN = `${ESCAPE}2J${ESCAPE}H`;
const RESET = `${ESCAPE}0m`;

/** Select Graphic Rendition (ECMA-48, section 8.3.117). */
const TONE_CODES: Readonly<Record<Tone, string>> = {
  plain: "",
  strong: "1",
  faint: "2",
  good: "32",
  bad: "31",
};

/** A table that is drawn over itself twice a second. */
class LiveView implements View {
  readonly periodMs = 500;
  readonly #terminal: Terminal;
  #previous: SystemSnapshot | undefined;
  #drawnRows = 0;
  #drawnColumns = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(snapshot: SystemSnapshot): boolean {
    const { columns, rows } = this.#terminal.size();
    // The last row stays empty: the cursor rests there, and the top of the
    // table must not scroll away.
    const lines = renderTable(snapshot, this.#previous, {
      columns,
      rows: rows - 1,
    });
    this.#previous = snapshot;
    const start = this.#moveToStart(columns, rows);
    const text = lines.map((line) =>
      this.#paint(line.text, line.tone) + CLEAR_TO_LINE_END + "\n"
    ).join("");
    this.#drawnRows = lines.length;
    this.#drawnColumns = columns;
    return this.#terminal.write(start + text + CLEAR_TO_SCREEN_END);
  }

  /** In place of the table, which is drawn again below. */
  warn(text: string): void {
    if (this.#drawnColumns > 0) {
      const { columns, rows } = this.#terminal.size();
      const start = this.#moveToStart(columns, rows);
      this.#terminal.write(start + CLEAR_TO_SCREEN_END);
      this.#drawnRows = 0;
    }
    this.#terminal.writeError(text);
  }

  finish(snapshot: SystemSnapshot): void {
    this.update(snapshot);
    const lines = ["", ...renderSummary(snapshot)];
    this.#terminal.write(lines.map((line) => `${line}\n`).join(""));
  }

  [Symbol.dispose](): void {
    if (this.#drawnColumns > 0) this.#terminal.write(SHOW_CURSOR);
  }

  /** Up to the first row of the table that was drawn before. */
  #moveToStart(columns: number, rows: number): string {
    if (this.#drawnColumns === 0) return HIDE_CURSOR;
    // After a resize it is unknown how the old rows were wrapped.
    if (columns !== this.#drawnColumns || this.#drawnRows >= rows) {
      return CLEAR_SCREEN;
    }
    return this.#drawnRows === 0 ? "\r" : `\r${ESCAPE}${this.#drawnRows}A`;
  }

  #paint(text: string, tone: Tone): string {
    const code = TONE_CODES[tone];
    return code === "" || !this.#terminal.color
      ? text
      : `${ESCAPE}${code}m${text}${RESET}`;
  }
}
