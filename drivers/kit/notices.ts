/** Lines for whoever runs the system that are still to be said. */

/** The most lines that wait: further ones are left out. */
const WAITING_MAX = 16;

const NONE: readonly string[] = [];

/** Lines of one NIC. Each is said once, until the matter is settled and comes up again. */
export class Notices {
  #waiting: string[] = [];
  readonly #said = new Map<string, string>();

  /** Says `text` about `matter`, unless that is what was said last; undefined settles the matter. */
  say(matter: string, text: string | undefined): void {
    if (this.#said.get(matter) === text) return;
    if (text === undefined) {
      this.#said.delete(matter);
      return;
    }
    this.#said.set(matter, text);
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(text);
  }

  /** The lines that were not taken yet. */
  take(): readonly string[] {
    if (this.#waiting.length === 0) return NONE;
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }
}
