/** Why a child that is to end well has not, in words. */

import { ErrorLines } from "../../caps/port/stream/error_lines.ts";
import type { ChildProcess } from "./child_process.ts";

/** Bytes of its standard error that are looked at. */
const ERROR_BYTES = 4096;

/**
 * Waits on this thread for the end of `child`, which runs `program`: `waitMs` at
 * most. Returns why it has failed, the first line that it printed where there is
 * one; undefined where it ended well.
 */
export function failureOf(
  child: ChildProcess,
  program: string,
  waitMs: number,
): string | undefined {
  const end = child.endWithin(waitMs);
  if (end === undefined) return `${program} has not ended within ${waitMs} ms`;
  if ("signal" in end) return `${program} was ended by signal ${end.signal}`;
  if (end.code === 0) return undefined;
  return firstError(child) ?? `${program} ended with status ${end.code}`;
}

function firstError(child: ChildProcess): string | undefined {
  const bytes = new Uint8Array(ERROR_BYTES);
  const length = Math.max(0, child.readError(bytes));
  const lines = new ErrorLines("");
  const [first] = [...lines.take(bytes.subarray(0, length), 0), ...lines.end()];
  return first?.slice(": ".length);
}
