/** What is counted of capabilities and pages: plain data, for consoles and tests. */

/** Counts by reason or by name; absent means 0. */
export type Counts = Readonly<Record<string, number>>;

/** Adds counts up, name by name. A name may be any text: a third party's core may have given it. */
export function addCounts(all: readonly Counts[]): Counts {
  const sum = new Tally();
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum.add(name, count);
  }
  return sum.snapshot();
}

/** Packets that a capability's holder got and sent. */
export interface PacketCounts {
  /** Packets handed to the holder. */
  readonly deliveredPackets: number;
  /** Bytes of the packets delivered. */
  readonly deliveredBytes: number;
  /** Packets that the holder had sent. */
  readonly sentPackets: number;
  /** Bytes of the packets sent. */
  readonly sentBytes: number;
  /** Packets that were dropped, by reason, both ways. */
  readonly drops: Counts;
}

/** One capability's account, as its holder may see it. */
export interface CapabilityAccount extends PacketCounts {
  /** Pages that its holder has, or that are on their way out for it. */
  readonly heldPages: number;
  /** The pages that it may hold; fewer than it was given once others are carved out of it. */
  readonly quotaPages: number;
}

/** Counts that grow by reason. Reasons come from the code, never from the wire. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** Counts `by` more of `reason`. */
  add(reason: string, by = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + by);
  }

  /** Counts all that another has counted. */
  addAll(other: Tally): void {
    for (const [reason, count] of other.#counts) this.add(reason, count);
  }

  /** How many of `reason` there were. */
  of(reason: string): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** All of them. */
  snapshot(): Counts {
    return Object.fromEntries(this.#counts);
  }
}
