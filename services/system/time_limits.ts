/** How long a system waits for its parts before it takes them for dead. */

import { ANSWER_MS_MAX } from "../runtime/calls.ts";

/** How patient it is. */
export interface TimeLimits {
  /** How often a service is asked whether it is alive. */
  readonly heartbeatMs: number;
  /** How long its answer may take. */
  readonly answerMsMax: number;
  /** How long it may take to start. */
  readonly startMsMax: number;
}

/** Enough for a machine that is busy. */
export const TIME_LIMITS: TimeLimits = {
  heartbeatMs: 1000,
  answerMsMax: ANSWER_MS_MAX,
  startMsMax: 10_000,
};
