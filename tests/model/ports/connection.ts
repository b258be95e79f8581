/** A channel between two services, as the reference of ports sees it. */

/** Something on its way to an asker. */
export type Item =
  & {
    /** Whose message it is in: of `b`'s own by default. */
    readonly by?: "forger" | "nobody";
  }
  & (
    | {
      readonly kind: "answer";
      readonly of: Request;
      readonly value: number | undefined;
    }
    | { readonly kind: "push"; readonly value: number; readonly lost: number }
    | { readonly kind: "unasked" | "malformed" }
    | {
      readonly kind: "lie";
      readonly of: Request | undefined;
      readonly well: boolean;
    }
  );

/** What was asked, and what has come of it. */
export interface Request {
  readonly value: number;
  readonly untilMs: number;
  state: "waiting" | "late" | "ended";
}

/** One channel, from a life of an asker to a life of `b`. */
export class Connection {
  /** What `b` has sent and the asker has not read. */
  toAsker: Item[] = [];
  /** Of those, such as leave at the end of `b`'s turn. */
  leaving = 0;
  /** As `b` knows it. */
  unreadAnswers = 0;
  unreadPushes = 0;
  lost = 0;
  later: {
    readonly of: Request | undefined;
    readonly value: number;
    readonly untilMs: number;
  }[] = [];
  strikesOfAsker = 0;
  strikesOfAnswerer = 0;
  /** Which end has closed it. */
  closedBy: "asker" | "answerer" | undefined;
  toldAnswerer = false;
  /** Pushes that were read and not shown. */
  unshown = 0;
  /** Whether the last message that was read was `b`'s own. */
  showsTrue = true;
}

/** Whether an item is one of `b`'s own answers. */
export function isAnswer(item: Item): boolean {
  return item.by === undefined && item.kind !== "push";
}

/** Whether an item is one of `b`'s own pushes. */
export function isPush(item: Item): boolean {
  return item.by === undefined && item.kind === "push";
}
