/** What happens to frames on a wire that is made faulty on purpose. */

/** The names of the faults. */
export const FAULT_NAMES = [
  "loss",
  "duplication",
  "reordering",
  "corruption",
  "truncation",
] as const;

/** The probability of each fault per frame, from 0 (never) to 1; 0 by default. */
export interface WireFaults {
  /** The frame vanishes. */
  readonly loss?: number;
  /** The frame comes twice. */
  readonly duplication?: number;
  /** One to four later frames overtake it, if they come. */
  readonly reordering?: number;
  /** One bit of it is turned. */
  readonly corruption?: number;
  /** Some of its end is cut off: one byte or more, but not all. */
  readonly truncation?: number;
}
