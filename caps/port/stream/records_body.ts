/**
 * The bodies of messages that carry packets: a byte string as far as it is used,
 * and what goes with it.
 *
 * ```
 *  0          4       6       8        12      14     16
 *  ├ delivery ┼ count ┼ names ┼ string ┼ pages ┼ 0 ───┤ names × u64 │ pages × u32 │ string bytes
 *    u32        u16     u16     u32      u16
 * ```
 *
 * From the driver, `delivery` numbers the message, and behind it come its pages,
 * each of so many bytes as the list says. From a holder, `delivery` says which
 * message this answers, or 0 for a string of its own; with no `string`, nothing of
 * it is to be sent. The list then says which of its pages have changed and come
 * back; all others are given back as they were. Both lists are padded to 8 bytes.
 */

import { RECORDS_MAX, STRING_BYTES } from "../records.ts";
import { RecordWalk } from "../record_walk.ts";
import { CHANNEL, KIND, paddedBytes } from "./message.ts";
import type { StreamReader } from "./reader.ts";
import type { StreamWriter } from "./writer.ts";

const FIXED_BYTES = 16;

/** What a body says, but for the string. */
export interface RecordsHeader {
  /** Which delivery. */
  readonly delivery: number;
  /** Records in the string. */
  readonly count: number;
  /** The capabilities that records name. */
  readonly capabilities: readonly bigint[];
  /** The sizes of pages, or the numbers of those that come back. */
  readonly pages: readonly number[];
}

/** A body that was read. */
export interface RecordsBody extends RecordsHeader {
  /** The used part of the string: valid until the reader reads on. */
  readonly string: Uint8Array;
}

/** Bytes of `string` that its first `count` records take. */
export function usedBytes(string: ArrayBuffer, count: number): number {
  const walk = new RecordWalk(string, count);
  while (walk.next());
  return walk.end;
}

/** Writes a message with `sizeBytes` of `string`. */
export function putRecords(
  writer: StreamWriter,
  { delivery, count, capabilities, pages }: RecordsHeader,
  string: ArrayBuffer,
  sizeBytes: number,
): void {
  const lists = paddedBytes(capabilities.length * 8 + pages.length * 4);
  let at = writer.begin(
    KIND.records,
    CHANNEL.data,
    FIXED_BYTES + lists + sizeBytes,
  );
  const { view, bytes } = writer;
  const stringAt = at + FIXED_BYTES + lists;
  view.setUint32(at, delivery, true);
  view.setUint16(at + 4, count, true);
  view.setUint16(at + 6, capabilities.length, true);
  view.setUint32(at + 8, sizeBytes, true);
  view.setUint16(at + 12, pages.length, true);
  view.setUint16(at + 14, 0, true);
  at += FIXED_BYTES;
  for (let i = 0; i < capabilities.length; i++, at += 8) {
    view.setBigUint64(at, capabilities[i]!, true);
  }
  for (let i = 0; i < pages.length; i++, at += 4) {
    view.setUint32(at, pages[i]!, true);
  }
  if (at < stringAt) view.setUint32(at, 0, true);
  bytes.set(new Uint8Array(string, 0, sizeBytes), stringAt);
}

/** The body of the message at hand; undefined where it is none. */
export function readRecords(
  { view, bytes, start, end }: StreamReader,
): RecordsBody | undefined {
  if (end - start < FIXED_BYTES) return undefined;
  const count = view.getUint16(start + 4, true);
  const names = view.getUint16(start + 6, true);
  const stringBytes = view.getUint32(start + 8, true);
  const pageCount = view.getUint16(start + 12, true);
  const lists = paddedBytes(names * 8 + pageCount * 4);
  if (
    count > RECORDS_MAX || names > RECORDS_MAX || pageCount > RECORDS_MAX ||
    stringBytes > STRING_BYTES ||
    end - start !== FIXED_BYTES + lists + stringBytes
  ) return undefined;
  const capabilities: bigint[] = [];
  const pages: number[] = [];
  let at = start + FIXED_BYTES;
  for (let i = 0; i < names; i++, at += 8) {
    capabilities.push(view.getBigUint64(at, true));
  }
  for (let i = 0; i < pageCount; i++, at += 4) {
    pages.push(view.getUint32(at, true));
  }
  const delivery = view.getUint32(start, true);
  const string = bytes.subarray(end - stringBytes, end);
  return { delivery, count, capabilities, pages, string };
}
