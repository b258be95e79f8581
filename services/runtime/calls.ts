/** Questions by message: each has a number, which its answer repeats. */

/** How long an answer may take before the other side counts as silent. */
export const ANSWER_MS_MAX = 5000;

/** Why nothing can be asked any more, or why nobody answers, where the port was closed on this side. */
export const PORT_CLOSED = "cannot be asked: the port is closed";

/** Thrown to an asker that gets no answer. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: NoAnswerError) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

/** The questions of one asker to one other side, by their numbers. */
export class Calls<Answer> {
  readonly #whom: string;
  readonly #answerMsMax: number;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #last = 0;

  /** `whom` is named in errors. With `answerMsMax` Infinity an answer may take any time. */
  constructor(whom: string, answerMsMax: number = ANSWER_MS_MAX) {
    this.#whom = whom;
    this.#answerMsMax = answerMsMax;
  }

  /**
   * Has `post` send a question with its number, and waits for the answer. `post`
   * returns false where the question could not be sent.
   * @throws {NoAnswerError} when it was not sent, when no answer comes in time,
   * and once the calls are abandoned.
   */
  ask(post: (id: number) => boolean | void): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, timer: this.#timerOf(id) });
      if (post(id) === false) {
        this.#fail(id, PORT_CLOSED);
      }
    });
  }

  /** Gives the asker of question `id` its answer. Returns whether anybody waited for it. */
  answer(id: number, answer: Answer): boolean {
    const waiting = this.#take(id);
    waiting?.resolve(answer);
    return waiting !== undefined;
  }

  /** Fails all questions that wait: no answer will come any more. `why` follows the other side's name. */
  abandon(why: string = "has ended"): void {
    for (const id of [...this.#waiting.keys()]) this.#fail(id, why);
  }

  #timerOf(id: number): ReturnType<typeof setTimeout> | undefined {
    if (this.#answerMsMax === Infinity) return undefined;
    const why = `has not answered for ${this.#answerMsMax / 1000} s`;
    return setTimeout(() => this.#fail(id, why), this.#answerMsMax);
  }

  #fail(id: number, why: string): void {
    this.#take(id)?.reject(new NoAnswerError(`${this.#whom} ${why}`));
  }

  #take(id: number): Waiting<Answer> | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}
