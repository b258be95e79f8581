/** Questions by message: each has a number, the answer brings it back. */

/** How long an answer may take before the other side counts as gone. */
export const ANSWER_MS_MAX = 5000;

/** Nobody answered. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly fail: (error: NoAnswerError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The questions of one asker to one other side. */
export class Calls<Answer extends { readonly id: number }> {
  readonly #whom: string;
  readonly #answerMsMax: number;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #next = 0;

  /** `whom` is named in errors. */
  constructor(whom: string, answerMsMax: number = ANSWER_MS_MAX) {
    this.#whom = whom;
    this.#answerMsMax = answerMsMax;
  }

  /**
   * Sends a question, by `post` with its number, and waits for the answer.
   * @throws {NoAnswerError} when none comes in time, or once it is abandoned.
   */
  ask(post: (id: number) => void): Promise<Answer> {
    const id = ++this.#next;
    return new Promise((resolve, fail) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        fail(
          new NoAnswerError(
            `${this.#whom} has not answered for ${this.#answerMsMax / 1000} s`,
          ),
        );
      }, this.#answerMsMax);
      this.#waiting.set(id, { resolve, fail, timer });
      post(id);
    });
  }

  /** An answer has come. Returns whether anybody waited for it. */
  answer(answer: Answer): boolean {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return false;
    clearTimeout(waiting.timer);
    this.#waiting.delete(answer.id);
    waiting.resolve(answer);
    return true;
  }

  /** No answer will come any more: those who wait are told. */
  abandon(): void {
    const gone = new NoAnswerError(`${this.#whom} is gone`);
    for (const { fail, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      fail(gone);
    }
    this.#waiting.clear();
  }
}
