/** Questions by message: each has a number, the answer brings it back. */

/** How long an answer may take before the other side counts as gone. */
export const ANSWER_MS_MAX = 5000;

/** Nobody answered. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

interface Waiting<Answer> {
  readonly settle: (answer: Answer) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The questions of one asker to one other side. */
export class Calls<Answer extends { readonly id: number }> {
  readonly #whom: string;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #next = 0;

  /** `whom` is named in errors. */
  constructor(whom: string) {
    this.#whom = whom;
  }

  /**
   * Sends a question, by `post` with its number, and waits for the answer.
   * @throws {NoAnswerError} after {@link ANSWER_MS_MAX}.
   */
  ask(post: (id: number) => void): Promise<Answer> {
    const id = ++this.#next;
    return new Promise((settle, fail) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        fail(
          new NoAnswerError(
            `${this.#whom} has not answered for ${ANSWER_MS_MAX / 1000} s`,
          ),
        );
      }, ANSWER_MS_MAX);
      this.#waiting.set(id, { settle, timer });
      post(id);
    });
  }

  /** An answer has come. */
  settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(answer.id);
    waiting.settle(answer);
  }

  /** No answer will come any more: those who wait never hear of it, their timers end. */
  abandon(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
