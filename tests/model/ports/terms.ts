/** The words that the reference of ports, its moves and the system share. */

export {
  PUSHES_MAX,
  REQUESTS_MAX,
  STRIKES_MAX,
} from "../../../services/ports/limits.ts";
export { ANSWER_MS_MAX } from "../../../services/runtime/calls.ts";

/** A service that asks `b`. */
export type Asker = "a" | "c";

/** All of them. */
export const ASKERS: readonly Asker[] = ["a", "c"];

/** A service: `b` answers. */
export type Service = Asker | "b";

/** What somebody can send to `b` in an asker's name. */
export type AskerForgery =
  | "garbage"
  | "torn"
  | "wrong-kind"
  | "bad-body"
  | "flood";

/** What somebody can send to an asker in `b`'s name. */
export type AnswererForgery =
  | "garbage"
  | "torn"
  | "wrong-kind"
  | "unasked"
  | "bad-answer"
  | "lie"
  | "flood";

/** Records in a flood. */
export const FLOOD = 70;

/** The value of an answer that is a lie. */
export const FORGED_ANSWER = 7777;

/** What `b` does with a request: one in four is kept for later, one in four gets nothing. */
export function answerTo(value: number): number | "later" | undefined {
  switch (value % 4) {
    case 0:
    case 1:
      return value + 1;
    case 2:
      return undefined;
    default:
      return "later";
  }
}
