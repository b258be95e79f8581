/**
 * What was sent and not read yet. A MessagePort does not tell its sender what is
 * unread, and a reader that does not read would let messages pile up in the
 * process. So each message has a token that nobody can guess, and the other end
 * shows the token of the last one that it has read.
 */

/** What lies unread at the other end. */
export class Unread {
  readonly #messages: {
    readonly token: number;
    readonly answers: number;
    readonly pushes: number;
  }[] = [];
  readonly #random = new Uint32Array(16);
  #drawn = this.#random.length;
  /** Answers that were not read yet. */
  answers = 0;
  /** Pushes that were not read yet. */
  pushes = 0;

  /** Counts a message of so many answers and pushes. Returns its token. */
  add(answers: number, pushes: number): number {
    const token = this.#draw();
    this.#messages.push({ token, answers, pushes });
    this.answers += answers;
    this.pushes += pushes;
    return token;
  }

  /** Counts all messages up to that of `token` as read. Returns whether there is such a one. */
  read(token: number): boolean {
    const last = this.#messages.findIndex((one) => one.token === token);
    if (last < 0) return false;
    for (const { answers, pushes } of this.#messages.splice(0, last + 1)) {
      this.answers -= answers;
      this.pushes -= pushes;
    }
    return true;
  }

  /** A random number; 0 stands for none. */
  #draw(): number {
    for (;;) {
      if (this.#drawn === this.#random.length) {
        crypto.getRandomValues(this.#random);
        this.#drawn = 0;
      }
      const token = this.#random[this.#drawn++]!;
      if (token !== 0) return token;
    }
  }
}
