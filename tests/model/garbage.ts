/** Messages that make no sense to whoever gets them. */

import { STRING_BYTES } from "../../caps/port/records.ts";

type Make = () => unknown;

const string = new ArrayBuffer(STRING_BYTES);

const anything: readonly Make[] = [
  () => null,
  () => undefined,
  () => 7,
  () => "derive",
  () => ({}),
  () => [],
];

/** By who gets them. */
export const GARBAGE: Readonly<Record<"filter" | "driver", readonly Make[]>> = {
  filter: [
    ...anything,
    () => ({ op: "derive", from: 1n }),
    () => ({ op: "mint", id: 1 }),
    () => ({ op: "constructor", id: 1 }),
    () => ({ op: "drop", id: "1", capability: 1n }),
  ],
  driver: [
    ...anything,
    () => ({
      capabilities: [1n],
      records: new ArrayBuffer(8),
      count: 0,
      pages: [],
    }),
    () => ({ capabilities: [1n], records: string, count: -1, pages: [] }),
    () => ({ capabilities: [1n], records: string, count: 1e9, pages: [] }),
    () => ({ capabilities: [1n], records: string, count: NaN, pages: [] }),
    () => ({ capabilities: [1n], records: string, count: 0, pages: {} }),
  ],
};
