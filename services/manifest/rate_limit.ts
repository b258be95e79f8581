/** Rate limits as they are written: checked at the edge, like all that a person writes. */

import { z } from "zod";
import { given } from "../../caps/kernel/given.ts";
import { RATE_MAX, type RateLimit } from "../../caps/kernel/rate_limit.ts";
import { showValue } from "../fields/show_value.ts";

/** A rate limit as it is written in a manifest: one of both, or both. */
export interface RateLimitInput {
  /** More than 0. */
  readonly packetsPerSecond?: number | undefined;
  /** More than 0. */
  readonly bytesPerSecond?: number | undefined;
}

const EXPECTED = `a number above 0 and up to ${RATE_MAX}`;
const SHAPE =
  'a limit such as {"packetsPerSecond": 1000} or {"bytesPerSecond": 1000000}';

const rate = z.custom<number>(
  (value) => typeof value === "number" && value > 0 && value <= RATE_MAX,
  { error: ({ input }) => `expected ${EXPECTED}, got ${showValue(input)}` },
);

/** Checks a rate limit as it is written. */
export const rateLimitSchema: z.ZodType<RateLimit, RateLimitInput> = z
  .strictObject({
    packetsPerSecond: rate.optional(),
    bytesPerSecond: rate.optional(),
  }, {
    error: ({ code, input }) =>
      code === "invalid_type"
        ? `expected ${SHAPE}, got ${showValue(input)}`
        : undefined,
  })
  .refine(
    (limit) => Object.values(limit).some((value) => value !== undefined),
    { error: `expected ${SHAPE}, got one that limits nothing` },
  )
  .transform(({ packetsPerSecond, bytesPerSecond }) => ({
    ...given({ packetsPerSecond, bytesPerSecond }),
  }));

/**
 * Reads a limit that a program gives.
 * @throws {TypeError} what was expected, and what was there.
 */
export function readRateLimit(limit: unknown): RateLimit {
  const result = rateLimitSchema.safeParse(limit);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = ["limit", ...issue!.path].join(".");
  throw new TypeError(`${where}: ${issue!.message}`);
}
