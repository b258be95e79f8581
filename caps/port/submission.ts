/** Does this thing have a submission's form? What a holder sends may be anything. */

import { isBufferOf } from "../memory/buffers.ts";
import {
  RECORD_BYTES,
  RECORDS_MAX,
  STRING_BYTES,
  type Submission,
} from "./records.ts";

/**
 * True when `message` has a submission's form: a byte string, a count that fits
 * one, a list of what may or may not be tags, and one of what may or may not be
 * pages. What lies in the string may be anything. Never throws on what a port
 * brought.
 */
export function isSubmission(
  message: unknown,
): message is Submission & { capabilities: unknown[]; pages: unknown[] } {
  if (typeof message !== "object" || message === null) return false;
  const { capabilities, records, count, pages } = message as Partial<
    Submission
  >;
  return isBufferOf(records, STRING_BYTES) &&
    typeof count === "number" && Number.isInteger(count) && count >= 0 &&
    count <= RECORDS_MAX &&
    Array.isArray(capabilities) && capabilities.length <= RECORDS_MAX &&
    Array.isArray(pages) && pages.length <= RECORDS_MAX;
}

/**
 * Where the record after the one at `at` begins, `stride` bytes on; 0 when that
 * is no record: it, and what is behind it, means nothing.
 */
export function nextRecord(at: number, stride: number): number {
  const next = at + stride;
  return stride < RECORD_BYTES || (stride & 7) !== 0 || next > STRING_BYTES
    ? 0
    : next;
}
