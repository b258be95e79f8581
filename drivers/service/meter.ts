/**
 * Meters: rate limits at work, as token buckets (RFC 2697 describes such a
 * meter). A packet goes through when every meter from its account's up to the
 * root has room for it, and then it fills each of them: what is derived from a
 * capability takes from that one's rate, however often it is derived.
 */

import { BURST_MS, type RateLimit } from "../../caps/kernel/rate_limit.ts";

/** Tells the time, in milliseconds, without going back. */
export type NowMs = () => number;

/** The turn that is under way. */
export interface Turn {
  /** When it began: the clock is read once a turn, and not for each packet. */
  readonly nowMs: number;
}

/**
 * One bucket. Its numbers are fields of the object and no closure's: it is
 * asked for each packet of a limited account.
 */
class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs = -Infinity;

  constructor(perSecond: number, largest: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = this.#perMs * BURST_MS + largest;
    this.#tokens = this.#burst;
  }

  has(tokens: number, nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      const grown = this.#tokens + (nowMs - this.#atMs) * this.#perMs;
      this.#tokens = grown < this.#burst ? grown : this.#burst;
      this.#atMs = nowMs;
    }
    return this.#tokens >= tokens;
  }

  take(tokens: number): void {
    this.#tokens -= tokens;
  }
}

/** The limit of one capability, one way. */
export class Meter {
  readonly #packets: Bucket | undefined;
  readonly #bytes: Bucket | undefined;
  readonly #above: Meter | undefined;

  /**
   * For packets of up to `packetBytesMax`, below the meter of the nearest
   * limited ancestor, if there is one.
   */
  constructor(
    limit: RateLimit,
    packetBytesMax: number,
    above: Meter | undefined,
  ) {
    const { packetsPerSecond, bytesPerSecond } = limit;
    this.#packets = packetsPerSecond === undefined
      ? undefined
      : new Bucket(packetsPerSecond, 1);
    this.#bytes = bytesPerSecond === undefined
      ? undefined
      : new Bucket(bytesPerSecond, packetBytesMax);
    this.#above = above;
  }

  /** Whether a packet may go through at `nowMs`. */
  admits(lengthBytes: number, nowMs: number): boolean {
    if (this.#packets?.has(1, nowMs) === false) return false;
    if (this.#bytes?.has(lengthBytes, nowMs) === false) return false;
    return this.#above === undefined || this.#above.admits(lengthBytes, nowMs);
  }

  /**
   * Charges a packet that was admitted and went through; or so many that one
   * became, which may be more than there is room for: later ones wait for that.
   */
  charge(lengthBytes: number, packets = 1): void {
    this.#packets?.take(packets);
    this.#bytes?.take(lengthBytes);
    this.#above?.charge(lengthBytes, packets);
  }
}

/** Meters of a limited capability, one each way: what comes and what goes do not share. */
export interface Meters {
  readonly delivered: Meter;
  readonly sent: Meter;
}

/** The meters of a capability with `limit`, below those of its nearest limited ancestor. */
export function makeMeters(
  limit: RateLimit | undefined,
  packetBytesMax: number,
  above: Meters | undefined,
): Meters | undefined {
  if (limit === undefined) return above;
  return {
    delivered: new Meter(limit, packetBytesMax, above?.delivered),
    sent: new Meter(limit, packetBytesMax, above?.sent),
  };
}
