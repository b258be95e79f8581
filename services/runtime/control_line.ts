/**
 * The system's line to one of its parts: orders go out, reports come in, and
 * some orders are questions.
 */

import { fromMessagePort, type Port, takeAll } from "../../caps/port/port.ts";
import { Calls } from "./calls.ts";

/** What every part is told at its end. */
interface Stop {
  readonly kind: "stop";
}

/** A report that answers the question of the same number. */
type Answer<Report> = Extract<
  Report,
  { readonly id: number; readonly kind: string }
>;

/** Who is at the other end of a line, and what is done with its messages. */
export interface ControlLineOptions<Report> {
  /** Names the part in errors. */
  readonly whom: string;
  /** Takes each report that answers no question. */
  readonly onReport?: (report: Exclude<Report, Answer<Report>>) => void;
  /** How long an answer may take; {@link ANSWER_MS_MAX} by default. */
  readonly answerMsMax?: number;
  /** Reads a message of a part that is not trusted to send reports; all messages are reports by default. */
  readonly read?: (message: unknown) => Report | undefined;
  /** Called for a message that is no report, or answers what nobody asks. */
  readonly onNonsense?: () => void;
}

/** Sends `Order`s to a part and takes its `Report`s. */
export class ControlLine<Order, Report> {
  readonly #port: Port<Order | Stop, unknown>;
  readonly #calls: Calls<Answer<Report>>;
  readonly #options: ControlLineOptions<Report>;

  /** Takes over `port`. */
  constructor(port: MessagePort, options: ControlLineOptions<Report>) {
    this.#port = fromMessagePort(port);
    this.#calls = new Calls(options.whom, options.answerMsMax);
    this.#options = options;
    this.#port.onReady = () => {
      for (const message of takeAll(this.#port)) this.#take(message);
    };
  }

  /** Whether the line was not closed. */
  get open(): boolean {
    return !this.#port.closed;
  }

  /** Sends an order; nothing happens on a closed line. */
  send(order: Order, transfer: Transferable[] = []): void {
    this.#port.post(order, transfer);
  }

  /**
   * Sends the order that `question` makes of its number, and waits for the
   * report of that number, which is to be of `kind`.
   * @throws {NoAnswerError}
   */
  async ask<Kind extends Answer<Report>["kind"]>(
    kind: Kind,
    question: (id: number) => Order,
  ): Promise<Extract<Report, { readonly kind: Kind }>> {
    const answer = await this.#calls.ask((id) => this.#port.post(question(id)));
    if (answer.kind === kind) {
      return answer as Extract<Report, { readonly kind: Kind }>;
    }
    throw new Error(`${this.#options.whom} answered another question`);
  }

  /** Fails all questions that wait: the part has failed. */
  abandon(): void {
    this.#calls.abandon();
  }

  /** Tells the part, if it still runs, to stop, and closes the line. */
  close(): void {
    this.#calls.abandon();
    this.#port.post({ kind: "stop" });
    this.#port[Symbol.dispose]();
  }

  #take(message: unknown): void {
    const { read, onReport, onNonsense } = this.#options;
    const report = read === undefined ? message as Report : read(message);
    if (report === undefined) onNonsense?.();
    else if (!isAnswer(report)) {
      onReport?.(report as Exclude<Report, Answer<Report>>);
    } else if (!this.#calls.answer(report.id, report)) onNonsense?.();
  }
}

function isAnswer<Report>(report: Report): report is Answer<Report> {
  return typeof report === "object" && report !== null && "id" in report;
}
