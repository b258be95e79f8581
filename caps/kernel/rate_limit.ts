/**
 * Rate limits: how much a capability lets through in a second, each way. What is
 * beyond that is dropped and counted on its account, at nobody else's cost.
 */

import { given } from "./given.ts";

/** How much goes through in a second, each way; what is absent is not limited. */
export interface RateLimit {
  /** More than 0. */
  readonly packetsPerSecond?: number;
  /** More than 0. */
  readonly bytesPerSecond?: number;
}

/** The highest rate that can be asked for: beyond every NIC's. */
export const RATE_MAX = 1e12;

/**
 * What may go through at once: as much as the rate gives in this time, and one
 * packet more. So whoever is served this often loses nothing at its rate.
 */
export const BURST_MS = 100;

/** Whether `value` limits something, and how much is a number that makes sense. */
export function isRateLimit(value: unknown): value is RateLimit {
  if (typeof value !== "object" || value === null) return false;
  const { packetsPerSecond, bytesPerSecond } = value as RateLimit;
  return (packetsPerSecond !== undefined || bytesPerSecond !== undefined) &&
    isRate(packetsPerSecond) && isRate(bytesPerSecond);
}

/** What `limit` says and nothing else, whatever object it is. */
export function copyOfRateLimit(limit: RateLimit): RateLimit {
  const { packetsPerSecond, bytesPerSecond } = limit;
  return {
    ...given({ packetsPerSecond, bytesPerSecond }),
  };
}

function isRate(rate: unknown): boolean {
  return rate === undefined ||
    typeof rate === "number" && rate > 0 && rate <= RATE_MAX;
}
